"""`manage.py switch_model` when it can't work, or not try first."""

import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from embeddings.current import current_model
from embeddings.management.commands import switch_model
from jobs import health
from jobs.errors import AuthError, InvalidInput, RateLimited
from jobs.models import Run
from yellowbook.directory.models import Business

from ..conftest import Fakes
from .command import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("models")]


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
