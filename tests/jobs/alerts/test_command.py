"""`manage.py check_alerts`."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from jobs import workers
from jobs.alerts.management.commands import check_alerts
from jobs.models import JobExecution

from .conftest import Gauge
from .support import deliveries, events

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command("check_alerts", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_when_all_is_well_it_says_so_and_ends_with_0(gauge: Gauge) -> None:
    code, printed = run()
    assert code == 0
    assert "pressure" in printed
    assert " ok " in printed


def test_when_something_fires_it_tells_what_to_do_and_ends_with_1(gauge: Gauge) -> None:
    gauge.value = 11
    code, printed = run()
    assert code == 1
    assert "FIRING" in printed
    assert "Open the valve." in " ".join(printed.replace("│", " ").split())
    assert events() == ["fired"]


def test_what_is_not_known_is_not_well(gauge: Gauge) -> None:
    gauge.error = ValueError("[bold]brackets[/bold]")
    code, printed = run()
    assert code == 2
    assert "[bold]" in printed


def test_as_json_it_is_what_the_api_answers(gauge: Gauge) -> None:
    gauge.value = 11
    code, printed = run("--json")
    (told,) = json.loads(printed)
    assert (code, told["rule"], told["state"], told["value"]) == (1, "pressure", "firing", 11)


def test_without_workers_it_says_so_and_sends_what_nobody_else_would(receiver) -> None:
    code, printed = run()
    assert code == 1
    assert "No worker is alive" in " ".join(printed.replace("│", " ").split())
    assert [told["rule"] for told in map(receiver.verified, range(len(receiver.requests)))] == ["no_worker"]
    assert [job.status for job in deliveries()] == ["succeeded"]


def test_with_workers_it_leaves_sending_to_them(gauge: Gauge, receiver) -> None:
    workers.enter_registry(1)
    gauge.value = 11
    run()
    assert [job.status for job in deliveries()] == ["queued"]
    assert not receiver.requests


def test_about_its_own_host_it_speaks_only_where_there_is_no_leader(make_gauge) -> None:
    disk = make_gauge("disk", local=True)
    disk.value = 11
    assert run()[0] == 1
    disk.value = 1
    workers.enter_registry(1)
    assert run()[0] == 1
    assert events() == ["fired"]


def test_it_sends_nothing_but_alerts(gauge: Gauge, kind: Any, receiver) -> None:
    from tests.jobs.support import waiting

    waiting(kind, "a")
    run()
    assert JobExecution.objects.get(kind=kind.name).status == "queued"


def test_a_database_that_is_away_is_told_without_a_traceback_or_a_password(gauge: Gauge, monkeypatch, capsys) -> None:
    def away(_: Any) -> None:
        raise OperationalError("connection to postgresql://u:pa55word@db failed")

    monkeypatch.setattr(check_alerts, "evaluate", away)
    code, _ = run()
    assert code == 2
    told = capsys.readouterr().err
    assert "The database can't be asked" in told
    assert "pa55word" not in told
