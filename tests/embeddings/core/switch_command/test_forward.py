"""`manage.py switch_model NEW`: what it does, says, and exits with."""

from typing import Any

import pytest

from embeddings import filling, switch
from embeddings.current import current_model
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.management.commands import switch_model
from embeddings.models import Embedding
from embeddings.services import embed_all
from embeddings.switch import coverage_of
from jobs import runs
from jobs.actor import Actor
from jobs.errors import AuthError
from jobs.execute import run_lane
from jobs.models import JobExecution, Lane, Run
from jobs.runs.attend import attend_all
from jobs.workers import enter_registry
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business

from ..conftest import Fakes, has_fresh, vector_of, work
from .command import run, told, type_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("models")]

OPERATOR = Actor("op", "cli")


class TestForward:
    """Fill, compare, ask, switch, catch up."""

    def test_it_fills_compares_and_switches(self, shops: list[Business], models: Fakes) -> None:
        out, err, code = run("new", "--yes", "--inline")
        assert (code, err) == (0, "")
        assert out.splitlines() == [
            "old serves. new will.",
            "12 of 12 businesses need a vector by new.",
            "12 of 12 have one now (100 %).",
            "Of the 10 nearest neighbours, both models name 100% on average (12 of 12 businesses were asked); "
            f"100% at the least, for {min(shops, key=lambda shop: shop.pk).name}.",
            "Switched: new serves now. Back again: switch_model --rollback.",
        ]
        assert current_model() == "new"
        assert len(models.old.calls) == 1, "the old model's vectors stay, and cost nothing"

    def test_as_json(self, shops: list[Business]) -> None:
        found = told("new", "--yes", "--inline")
        overlap = found.pop("overlap")
        assert found == {"serving": "new", "previous": "old", "switched": True, "coverage": 100.0}
        assert (overlap["mean"], overlap["sampled"], overlap["neighbours"]) == (1.0, 12, 10)

    def test_until_somebody_agrees_the_old_one_serves(self, shops, monkeypatch) -> None:
        for answer, code in [("\n", 1), ("n\n", 1), ("", 1), ("y\n", 0)]:
            assert current_model() == "old"
            type_in(monkeypatch, answer)
            _, err, left = run("new", "--inline")
            assert left == code, err
            assert ("Not switched: old serves." in err) == bool(code)
        assert current_model() == "new"

    def test_fill_only_does_not_switch(self, shops: list[Business]) -> None:
        found = told("new", "--fill-only", "--inline", "--sample", "3")
        assert (found["serving"], found["switched"], found["overlap"]["sampled"]) == ("old", False, 3)
        assert (current_model(), coverage_of("new").percentage) == ("old", 100.0)

    def test_what_is_filled_already_is_not_filled_again(self, shops: list[Business], models: Fakes) -> None:
        run("new", "--fill-only", "--inline")
        texts = sum(map(len, models.new.calls))
        before = Run.objects.count()
        told("new", "--fill-only", "--inline")
        assert Run.objects.count() == before
        assert sum(map(len, models.new.calls)) == texts + 1, "but for the trial"

    def test_a_run_that_fills_the_model_is_taken_up(self, shops: list[Business]) -> None:
        begun = embed_all({"model": "new"}, actor=OPERATOR)
        told("new", "--fill-only", "--inline")
        begun.refresh_from_db()
        assert (begun.state, Run.objects.count()) == ("completed", 1)

    def test_a_run_for_something_else_is_in_the_way(self, shops: list[Business]) -> None:
        other = embed_all({"force": True}, actor=OPERATOR)
        _, err, code = run("new", "--yes", "--inline")
        assert code == 1
        assert str(other.id) in err
        assert current_model() == "old"

    def test_texts_saved_while_it_fills_are_filled_in_before_the_switch(self, shops, models: Fakes) -> None:
        saves = iter(shops[:3])

        def save(texts: list[str]) -> None:
            for shop in saves:
                update_business(shop.pk, {"name": f"{shop.name} changed"})
                return

        models.new.meanwhile = save
        found = told("new", "--yes", "--inline")
        assert found["coverage"] == 100.0
        assert all(has_fresh(shop, "new") for shop in shops)

    def test_texts_saved_between_the_fill_and_the_switch_are_caught_up_with(
        self, shops: list[Business], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def save(self: Any, question: str) -> bool:
            update_business(shops[0].pk, {"name": "changed"})
            work()
            assert has_fresh(shops[0], "old")
            return True

        monkeypatch.setattr(switch_model.Command, "_agreed", save)
        found = told("new", "--yes", "--inline")
        assert (found["serving"], found["coverage"]) == ("new", 100.0)
        assert has_fresh(shops[0], "new")

    def test_too_little_coverage_is_told_and_does_not_switch(self, shops, models: Fakes) -> None:
        def refuse(texts: list[str]) -> Any:
            return [None if text.startswith("Shop 3") else vector_of(text) for text in texts]

        models.new.meanwhile = refuse
        JobExecution.objects.all().delete()
        embed_all({"model": "new"}, actor=OPERATOR)
        JobExecution.objects.update(max_retries=0)
        _, err, code = run("new", "--yes", "--inline")
        assert code == 1
        assert (
            "Not switched: 1 of 12 businesses have no fresh vector by new (91.67 % have, --min-coverage is 100)" in err
        )
        assert current_model() == "old"
        embed_all({"model": "new"}, actor=OPERATOR)
        JobExecution.objects.update(max_retries=0)
        assert told("new", "--yes", "--inline", "--min-coverage", "90")["serving"] == "new"

    def test_enough_coverage_switches_without_filling(self, shops: list[Business], models: Fakes) -> None:
        """As where the old model is gone for good, and nothing can be embedded before the switch."""

        def refuse(texts: list[str]) -> None:
            raise AuthError("gone")

        models.old.meanwhile = refuse
        out, _, code = run("new", "--yes", "--inline", "--min-coverage", "0")
        assert code == 0
        assert "The neighbours were not compared" in out
        assert coverage_of("new").percentage == 100.0

    def test_a_model_that_serves_already_is_only_completed(self, shops: list[Business]) -> None:
        Embedding.objects.all().delete()
        found = told("old", "--inline")
        assert found == {"serving": "old", "switched": False, "coverage": 100.0}

    def test_somebody_else_who_switches_meanwhile_is_not_overruled(self, shops, monkeypatch) -> None:
        def switch_elsewhere(self: Any, question: str) -> bool:
            switch.switch("third", expected="old", actor=OPERATOR)
            return True

        monkeypatch.setattr(switch_model.Command, "_agreed", switch_elsewhere)
        _, err, code = run("new", "--yes", "--inline")
        assert code == 1
        assert "third serves by now, not old any more" in err

    def test_a_run_that_is_stopped_ends_it(self, shops: list[Business], models: Fakes) -> None:
        def stop(texts: list[str]) -> None:
            for each in Run.objects.filter(state="running"):
                runs.stop(each.id)

        models.new.meanwhile = stop
        _, err, code = run("new", "--yes", "--inline")
        assert code == 1
        assert "is stopped after 12 of 12" in err
        assert current_model() == "old"

    def test_a_paused_lane_is_told_once(self, shops: list[Business], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(filling, "FORECAST_EVERY", 0.0)
        Lane.objects.filter(kind=GENERATE_EMBEDDING).update(paused_at="2026-01-01T00:00:00Z", pause_reason="tea")
        turns = iter(range(5))

        def rest(seconds: float) -> None:
            if next(turns, None) is None:
                Lane.objects.update(paused_at=None)

        monkeypatch.setattr("time.sleep", rest)
        _, err, code = run("new", "--fill-only", "--inline")
        assert code == 0
        assert err.count("The lane generate_embedding is paused: tea. Resume it to go on.") == 1

    def test_interrupted_it_says_that_the_run_goes_on(self, shops: list[Business], models: Fakes) -> None:
        def interrupt(texts: list[str]) -> None:
            if texts != ["probe"]:
                raise KeyboardInterrupt

        models.new.meanwhile = interrupt
        _, err, code = run("new", "--yes", "--inline")
        assert code == 130
        assert "goes on without this command" in err
        assert Run.objects.get().state == "running"

    def test_without_inline_the_workers_do_it(self, shops, monkeypatch: pytest.MonkeyPatch) -> None:
        enter_registry(1)

        def a_worker_turns(seconds: float) -> None:
            attend_all()
            run_lane(GENERATE_EMBEDDING)

        monkeypatch.setattr("time.sleep", a_worker_turns)
        assert told("new", "--yes")["coverage"] == 100.0
