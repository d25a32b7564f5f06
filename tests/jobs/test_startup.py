"""What a worker looks at before it takes work."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.migrations.executor import MigrationExecutor

from jobs import lanes, startup
from jobs.actor import Actor
from jobs.errors import AuthError, JobError, NetworkError, QuotaExhausted
from jobs.kinds import Kind
from jobs.models import Lane

from .support import MakeKind, claimed, end

pytestmark = pytest.mark.django_db(transaction=True)


def probed(make_kind: MakeKind, error: JobError | None = None) -> Kind:
    def probe() -> None:
        if error is not None:
            raise error

    return make_kind(probe=probe)


def said() -> list[str]:
    lines: list[str] = []
    startup.check(lines.append)
    return lines


def test_nothing_is_said_when_all_is_well(make_kind: MakeKind) -> None:
    probed(make_kind)
    assert said() == []


@pytest.mark.parametrize("error", [AuthError("API key not valid"), QuotaExhausted("per day")])
def test_a_provider_that_refuses_has_its_lane_paused_with_the_reason(make_kind: MakeKind, error: JobError) -> None:
    kind = probed(make_kind, error)
    [line] = said()
    assert (kind.name in line, error.message in line, "paused" in line) == (True, True, True)
    lane = Lane.objects.get(kind=kind.name)
    assert (lane.circuit, lane.pause_reason) == (error.error_class, error.message)


def test_a_provider_that_is_away_is_said_and_pauses_nothing(make_kind: MakeKind) -> None:
    kind = probed(make_kind, NetworkError("no route"))
    [line] = said()
    assert "no route" in line
    assert not Lane.objects.filter(kind=kind.name, paused_at__isnull=False).exists()


def test_a_lane_that_was_paused_for_its_key_opens_when_the_key_works(make_kind: MakeKind) -> None:
    kind = probed(make_kind)
    end(claimed(kind, "a"), AuthError("the key"))
    said()
    assert Lane.objects.get(kind=kind.name).paused_at is None


def test_a_lane_that_a_person_paused_is_left_alone(make_kind: MakeKind) -> None:
    kind = make_kind(probe=lambda: pytest.fail("probed"))
    lanes.pause(kind.name, actor=Actor("bold", "admin"))
    said()
    assert Lane.objects.get(kind=kind.name).paused_by == "bold"


def test_secrets_do_not_get_into_the_line_or_the_row(make_kind: MakeKind) -> None:
    probed(make_kind, AuthError("bad key AIzaSyA1234567890123456789012345678901"))
    assert "AIza" not in "".join(said())
    assert "AIza" not in Lane.objects.get(circuit="auth").pause_reason


def test_a_missing_migration_is_one_line_and_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = MigrationExecutor.migration_plan
    monkeypatch.setattr(
        MigrationExecutor, "migration_plan", lambda self, targets: executor(self, targets, clean_start=True)
    )
    with pytest.raises(CommandError, match=r"^\d+ migrations are not applied, .*: run manage.py migrate\.$"):
        call_command("rundramatiq")


def test_a_database_that_stays_away_is_one_line_and_a_failure(settings: Any, capsys: Any) -> None:
    settings.DATABASE_URL = "postgresql://somebody:hunter22@127.0.0.1:1/none"
    settings.START_PATIENCE = 0.001
    with pytest.raises(CommandError, match="PostgreSQL can't be reached") as raised:
        call_command("rundramatiq")
    assert "\n" not in str(raised.value)
    assert "hunter22" not in str(raised.value)


def test_a_database_that_comes_up_is_waited_for(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = settings.DATABASE_URL
    settings.DATABASE_URL = "postgresql://127.0.0.1:1/none"
    settings.START_PATIENCE = 60.0

    def meanwhile(seconds: float) -> None:
        settings.DATABASE_URL = url

    monkeypatch.setattr("time.sleep", meanwhile)
    first, second = said()
    assert first.startswith("Waiting up to 60 s for PostgreSQL: connection failed")
    assert second == "PostgreSQL is there."
