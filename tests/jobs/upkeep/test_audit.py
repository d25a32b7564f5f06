"""Checking, storing and reporting what holds, whatever it is."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from jobs import periodic
from jobs.enqueue import enqueue
from jobs.execute import run_lane
from jobs.models import JobExecution
from jobs.schedule import Daily
from jobs.upkeep import audit as module
from jobs.upkeep.audit import EXAMPLES, Finding, audit, check, invariants, register, repair
from jobs.upkeep.kinds import AUDIT
from jobs.upkeep.models import AuditResult
from jobs.upkeep.selectors import audit_summary
from tests.jobs.support import long_ago

from .conftest import invariant

pytestmark = pytest.mark.django_db


def two(limit: int) -> Finding:
    return Finding(2, ["a", "b"])


def broken(limit: int) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT password=hunter2secret FROM nowhere")
    raise AssertionError


def test_names_are_unique(declared) -> None:
    register(invariant("one"))
    with pytest.raises(ValueError, match="'one' is already declared"):
        register(invariant("one"))


def test_a_finding_is_stored_and_replaced_by_the_next(declared) -> None:
    found = [Finding(2, ["a", "b"]), Finding()]
    register(invariant("one", lambda limit: found.pop(0)))
    audit()
    first = AuditResult.objects.get()
    assert (first.name, first.count, first.examples, first.error) == ("one", 2, ["a", "b"], "")
    audit()
    second = AuditResult.objects.get()
    assert (second.count, second.examples) == (0, [])
    assert second.checked_at > first.checked_at


def test_one_that_cannot_be_checked_stops_no_other_and_keeps_what_was_known(declared) -> None:
    register(invariant("first", two))
    audit()
    checked_at = AuditResult.objects.get().checked_at
    declared.clear()
    register(invariant("first", broken))
    register(invariant("second", two))

    verdicts = {verdict.invariant.name: verdict for verdict in audit()}

    assert not verdicts["first"].holds
    assert verdicts["second"].finding.count == 2
    kept = AuditResult.objects.get(name="first")
    assert (kept.count, kept.checked_at) == (2, checked_at)
    assert "nowhere" in kept.error
    assert "hunter2secret" not in kept.error


def test_an_error_that_is_not_the_databases_stops_no_other_either(declared) -> None:
    def fail(limit: int) -> Finding:
        raise LookupError("no such provider")

    assert check(invariant("one", fail)).error == "LookupError: no such provider"


def test_a_statement_that_takes_too_long_is_broken_off(declared, monkeypatch) -> None:
    def sleep(limit: int) -> Finding:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        return Finding()

    monkeypatch.setattr(module, "STATEMENT", 0.01)
    assert "statement timeout" in check(invariant("slow", sleep)).error
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "0", "only the check is bounded"


def test_an_audit_out_of_time_leaves_the_rest_to_the_next_which_begins_with_it(declared) -> None:
    now = [0.0]

    def slow(limit: int) -> Finding:
        now[0] += 10
        return Finding()

    for name in ("a", "b", "c"):
        register(invariant(name, slow))
    checked = [[verdict.invariant.name for verdict in audit(within=15, clock=lambda: now[0])] for _ in range(3)]
    assert checked == [["a", "b"], ["c", "a"], ["b", "c"]]


def test_rows_of_invariants_that_are_no_longer_declared_go(declared) -> None:
    register(invariant("old"))
    audit()
    declared.clear()
    register(invariant("new"))
    register(invariant("newer"))
    audit(["new"])
    assert {row.name for row in AuditResult.objects.all()} == {"old", "new"}, "a partial audit says nothing of others"
    audit()
    assert {row.name for row in AuditResult.objects.all()} == {"new", "newer"}


def test_only_what_is_violated_and_has_a_repair_is_repaired(declared) -> None:
    mended: list[str] = []

    def mend(name: str) -> Callable[[], int]:
        def act() -> int:
            mended.append(name)
            return 7

        return act

    register(invariant("violated", two, repair=mend("violated")))
    register(invariant("fine", repair=mend("fine")))
    register(invariant("by hand", two))
    assert repair(audit()) == {"violated": 7}
    assert mended == ["violated"]


class TestSummary:
    def test_without_an_audit_it_is_stale(self, declared) -> None:
        register(invariant("one"))
        summary = audit_summary()
        assert summary["stale"]
        assert (summary["checked_at"], summary["age_seconds"], summary["violations"]) == (None, None, 0)

    def test_it_adds_up_the_violations_and_is_as_old_as_the_oldest_check(self, declared) -> None:
        register(invariant("one", two))
        register(invariant("two", two))
        register(invariant("three"))
        audit()
        AuditResult.objects.filter(name="three").update(checked_at=long_ago(86_400))
        summary = audit_summary()
        assert (summary["violations"], sorted(summary["violated"])) == (4, ["one", "two"])
        assert not summary["stale"]
        assert 86_400 <= summary["age_seconds"] < 86_500
        assert summary["checked_at"] == AuditResult.objects.get(name="three").checked_at

    def test_after_two_days_it_is_stale(self, declared) -> None:
        register(invariant("one"))
        register(invariant("two"))
        audit()
        AuditResult.objects.filter(name="one").update(checked_at=long_ago(2 * 86_400 + 10))
        assert audit_summary()["stale"]

    def test_one_that_was_added_since_makes_it_stale(self, declared) -> None:
        register(invariant("one"))
        audit()
        register(invariant("two"))
        assert audit_summary()["stale"]

    def test_it_names_what_could_not_be_checked(self, declared) -> None:
        register(invariant("one", broken))
        audit()
        summary = audit_summary()
        assert (summary["not_checked"], summary["stale"]) == (["one"], True)


class TestNightlyJob:
    def test_it_is_due_every_night(self) -> None:
        assert {each.kind: each.schedule for each in periodic.declared()}[AUDIT] == Daily(3)

    @pytest.mark.parametrize(
        ("finds", "result"),
        [
            ([], "all hold"),
            ([two], "1 violated"),
            ([broken], "1 not checked"),
            ([two, broken, two], "2 violated, 1 not checked"),
        ],
    )
    def test_its_result_says_what_it_found(self, declared, finds, result) -> None:
        for number, find in enumerate(finds):
            register(invariant(str(number), find))
        job_id = enqueue(AUDIT, subject=periodic.SUBJECT).job_id
        assert run_lane(AUDIT)
        job = JobExecution.objects.get(id=job_id)
        assert (job.status, job.result) == ("succeeded", result)
        assert AuditResult.objects.count() == len(finds)

    def test_it_repairs_nothing(self, declared) -> None:
        register(invariant("one", two, repair=lambda: pytest.fail("repaired")))
        enqueue(AUDIT, subject=periodic.SUBJECT)
        assert run_lane(AUDIT)


def emptying(rows: list[str]) -> Callable[[], int]:
    def act() -> int:
        number = len(rows)
        rows.clear()
        return number

    return act


def run(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("check_invariants", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue() + str(error), error.returncode
    return out.getvalue(), 0


class TestCommand:
    def test_of_a_sound_installation_all_hold(self) -> None:
        said, code = run()
        assert code == 0, said
        assert f"All {len(invariants())} hold." in said
        assert AuditResult.objects.count() == len(invariants())

    def test_a_violation_is_told_with_examples_and_what_to_do(self, declared) -> None:
        register(invariant("fine"))
        register(invariant("one", lambda limit: Finding(12, [f"example {n}" for n in range(limit)])))
        said, code = run()
        assert code == 1
        assert "VIOLATED" in said
        assert said.count("example ") == EXAMPLES
        assert "... and 2 more" in said
        assert "What to do: Mend it." in said
        assert "1 of 2 do not hold: one." in said

    def test_what_cannot_be_checked_is_no_success(self, declared) -> None:
        register(invariant("one", broken))
        said, code = run()
        assert code == 1
        assert "NOT KNOWN" in said

    def test_a_repair_is_told_and_checked_again(self, declared) -> None:
        rows = ["bad"]
        register(invariant("fine"))
        register(invariant("one", lambda limit: Finding(len(rows), list(rows)), repair=emptying(rows)))
        assert "--repair: Mend it." in run()[0]
        assert rows == ["bad"], "nothing is repaired unasked"
        said, code = run("--repair")
        assert code == 0
        assert "Repaired: one, 1 rows." in said
        assert AuditResult.objects.get(name="one").count == 0

    def test_a_repair_that_did_not_help_is_no_success(self, declared) -> None:
        register(invariant("one", two, repair=lambda: 0))
        assert run("--repair")[1] == 1

    def test_only_some_are_checked_when_asked(self, declared) -> None:
        register(invariant("one", two))
        register(invariant("two"))
        assert run("--only", "two")[1] == 0
        assert [row.name for row in AuditResult.objects.all()] == ["two"]
        with pytest.raises(CommandError, match="three"):
            call_command("check_invariants", "--only", "three")

    def test_programs_get_json(self, declared) -> None:
        rows = ["bad"]
        register(invariant("one", lambda limit: Finding(len(rows), list(rows)), repair=emptying(rows)))
        register(invariant("two", two))
        out = StringIO()
        with pytest.raises(CommandError):
            call_command("check_invariants", "--json", "--repair", stdout=out)
        told = json.loads(out.getvalue())
        by_name = {each["name"]: each for each in told["invariants"]}
        assert told["holds"] is False
        assert (by_name["one"]["holds"], by_name["one"]["repaired"]) == (True, 1)
        assert (by_name["two"]["count"], by_name["two"]["examples"]) == (2, ["a", "b"])


def test_the_metric_tells_violations_by_name(declared, client: Client) -> None:
    register(invariant("one", two))
    register(invariant("never"))
    audit(["one"])
    text = client.get("/metrics").content.decode()
    assert 'yellowbook_invariant_violations{name="one"} 2.0' in text
    assert 'yellowbook_invariant_age_seconds{name="one"}' in text
    assert 'name="never"' not in text


def test_the_admin_lists_them_escapes_examples_and_lets_nobody_edit(declared, admin_client: Client) -> None:
    register(invariant("one", lambda limit: Finding(1, ["<script>alert(1)</script>"])))
    register(invariant("two", broken))
    audit()
    page = admin_client.get(reverse("admin:upkeep_auditresult_changelist")).content.decode()
    assert "one holds." in page
    assert "not checked" in page
    assert "<script>alert(1)" not in page
    shown = admin_client.get(reverse("admin:upkeep_auditresult_change", args=["one"])).content.decode()
    assert "Mend it." in shown
    assert "<script>alert(1)" not in shown
    assert admin_client.post(reverse("admin:upkeep_auditresult_add")).status_code == 403
