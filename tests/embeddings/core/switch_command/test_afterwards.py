"""`manage.py switch_model` after a switch: back again, drop what is no longer used, look."""

import pytest

from embeddings.current import current_model
from embeddings.models import Embedding
from embeddings.services import embed_all
from embeddings.switch import coverage_of
from jobs.actor import Actor, current_actor
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business

from ..conftest import work_all
from .command import run, told, type_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("models")]

OPERATOR = Actor("op", "cli")


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
