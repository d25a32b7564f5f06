"""`manage.py switch_model`: what it does, says, and exits with."""

import io
import json
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from embeddings import filling, switch
from embeddings.current import current_model
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.management.commands import switch_model
from embeddings.models import Embedding
from embeddings.services import embed_all
from embeddings.switch import coverage_of
from jobs import health, runs
from jobs.actor import Actor, current_actor
from jobs.errors import AuthError, InvalidInput, RateLimited
from jobs.execute import run_lane
from jobs.models import JobExecution, Lane, Run
from jobs.runs.attend import attend_all
from jobs.workers import enter_registry
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business

from .conftest import Fakes, business, has_fresh, vector_of, work, work_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("models")]

OPERATOR = Actor("op", "cli")


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch, models: Fakes) -> None:
    """Look at runs as often as can be; have probes go to the fake."""
    monkeypatch.setattr(filling, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(switch_model, "try_provider", lambda provider: provider.embed(["probe"], None))


@pytest.fixture
def shops() -> list[Business]:
    """Twelve businesses with vectors by the model that serves."""
    made = [business(f"Shop {n}") for n in range(12)]
    work_all()
    return made


def run(*args: str) -> tuple[str, str, int]:
    """Run the command; return what it said on both streams, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("switch_model", *args, stdout=out, stderr=err, no_color=True)
    except SystemExit as left:
        return out.getvalue(), err.getvalue(), int(left.code or 0)
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


def told(*args: str) -> dict[str, Any]:
    out, err, code = run(*args, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


class Terminal(io.StringIO):
    """A person's keyboard."""

    def isatty(self) -> bool:
        return True


def type_in(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))


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


class TestNotStarted:
    """What can't work is told in one line before anything is begun."""

    @pytest.fixture(autouse=True)
    def _nothing_begun(self, shops: list[Business]) -> Any:
        yield
        assert not Run.objects.exists()
        assert current_model() == "old"

    def test_nobody_works(self) -> None:
        _, err, code = run("new", "--yes")
        assert code == 2
        assert err == "No worker is alive: start manage.py rundramatiq, or give --inline."

    @pytest.mark.parametrize("arguments", [["new", "--inline"], ["new", "--inline", "--json"]])
    def test_nobody_is_there_to_be_asked(self, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
        _, err, code = run(*arguments)
        assert (code, err) == (2, "There is nobody to ask: give --yes.")

    def test_the_provider_can_not_make_the_model(self) -> None:
        _, err, code = run("nonsense", "--yes", "--inline")
        assert (code, err) == (2, "'nonsense' is no model of the fake provider.")

    @pytest.mark.parametrize("name", ["", " ", "x" * 101])
    def test_a_name_that_is_none(self, name: str) -> None:
        assert run(name, "--yes", "--inline")[2] == 2

    @pytest.mark.parametrize("error", [AuthError, InvalidInput])
    def test_the_provider_refuses_the_model(self, models: Fakes, error: type[Exception]) -> None:
        def refuse(texts: list[str]) -> None:
            raise error("no such thing")

        models.new.meanwhile = refuse
        _, err, code = run("new", "--yes", "--inline")
        assert (code, err) == (2, "new can't be used: no such thing")

    @pytest.mark.parametrize(
        "arguments",
        [["new", "--min-coverage", "101"], ["new", "--min-coverage", "-1"], ["new", "--sample", "-1"]],
    )
    def test_numbers_out_of_range(self, arguments: list[str]) -> None:
        assert run(*arguments, "--yes", "--inline")[2] == 2

    @pytest.mark.parametrize("arguments", [[], ["new", "--rollback"], ["--status", "--drop", "old"]])
    def test_not_one_thing_to_do(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError):
            call_command("switch_model", *arguments)

    def test_a_missing_migration(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(health.ESSENTIAL, "migrations", _missing)
        assert run("new", "--yes", "--inline")[1:] == ("migrations: 1 not applied", 2)


def _missing() -> None:
    raise LookupError("1 not applied")


def test_without_budget_for_a_trial_it_goes_on(shops: list[Business], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_budget(provider: Any) -> None:
        raise RateLimited("There is no budget for a probe for another 12 s.")

    monkeypatch.setattr(switch_model, "try_provider", no_budget)
    _, err, code = run("new", "--yes", "--inline")
    assert code == 0
    assert "new was not tried first" in err


class TestRollback:
    """Back at once."""

    @pytest.fixture
    def switched(self, shops: list[Business]) -> list[Business]:
        told("new", "--yes", "--inline")
        return shops

    def test_it_switches_back_and_begins_a_run(self, switched: list[Business]) -> None:
        update_business(switched[0].pk, {"name": "changed"})
        work_all()
        out, err, code = run("--rollback")
        assert code == 0
        assert out.splitlines() == [
            "Switched back: old serves now, instead of new.",
            "1 of 12 businesses have changed since; a run embeds them.",
        ]
        assert "No worker is alive" in err
        work_all()
        assert (current_model(), coverage_of("old").percentage) == ("old", 100.0)

    def test_inline_it_catches_up_too(self, switched: list[Business]) -> None:
        update_business(switched[0].pk, {"name": "changed"})
        work_all()
        found = told("--rollback", "--inline")
        assert found == {"serving": "old", "previous": "new", "switched": True, "coverage": 100.0}

    def test_a_run_that_fills_the_model_that_was_left_gives_way(self, switched: list[Business]) -> None:
        for shop in switched[:2]:
            update_business(shop.pk, {"name": f"{shop.name} changed"})
        work_all()
        filling_new = embed_all({"model": "new", "force": True}, actor=OPERATOR)
        told("--rollback", "--inline")
        filling_new.refresh_from_db()
        assert filling_new.state == "stopped"
        assert coverage_of("old").percentage == 100.0

    def test_another_run_in_the_way_is_told(self, switched: list[Business]) -> None:
        embed_all({"force": True}, actor=OPERATOR)
        _, err, code = run("--rollback")
        assert code == 0
        assert "When it has ended: switch_model old" in err
        assert current_model() == "old"

    def test_without_a_switch_it_is_refused(self, shops: list[Business]) -> None:
        _, err, code = run("--rollback")
        assert code == 1
        assert "There is no model to go back to" in err


class TestDrop:
    """Deleting the vectors of a model, after a question."""

    @pytest.fixture
    def switched(self, shops: list[Business]) -> list[Business]:
        told("new", "--yes", "--inline")
        return shops

    def test_it_deletes_them(self, switched: list[Business]) -> None:
        assert told("--drop", "old", "--yes") == {"serving": "new", "dropped": "old", "vectors": 12}
        assert set(Embedding.objects.values_list("model", flat=True)) == {"new"}

    def test_it_asks(self, switched: list[Business], monkeypatch: pytest.MonkeyPatch) -> None:
        type_in(monkeypatch, "n\n")
        _, err, code = run("--drop", "old")
        assert (code, err) == (1, "Nothing was deleted.")
        assert Embedding.objects.filter(model="old").count() == 12

    def test_the_serving_model_is_refused(self, switched: list[Business]) -> None:
        _, err, code = run("--drop", "new", "--yes")
        assert code == 1
        assert "new serves" in err
        assert Embedding.objects.filter(model="new").count() == 12

    def test_a_model_without_vectors_is_told_from_those_with(self, switched: list[Business]) -> None:
        _, err, code = run("--drop", "nonsense", "--yes")
        assert (code, err) == (2, "nonsense has no vectors. Models that have some: new, old.")


class TestStatus:
    """Which model serves."""

    def test_before_a_switch(self, shops: list[Business]) -> None:
        out, _, code = run("--status")
        assert code == 0
        assert out.splitlines() == [
            "old serves, as the settings say.",
            "  old: 12 vectors, 12 of them of the present text, for 12 businesses",
        ]

    def test_after_a_switch(self, shops: list[Business]) -> None:
        told("new", "--yes", "--inline")
        Business.objects.filter(pk=shops[0].pk).update(name="changed")
        found = told("--status")
        assert (found["serving"], found["previous"], found["switched_by"]) == (
            "new",
            "old",
            current_actor().triggered_by,
        )
        assert found["models"] == [
            {"model": "new", "vectors": 12, "fresh": 11},
            {"model": "old", "vectors": 12, "fresh": 11},
        ]
        assert "Before it: old." in run("--status")[0]
