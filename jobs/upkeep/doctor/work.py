"""Whether the work gets done: workers, their scheduler, lanes, periodic work, and what waits for a person."""

from collections.abc import Iterable
from typing import Final

from django.db import connection
from django.db.models import Count

from jobs import selectors, workers
from jobs.clock import ago
from jobs.leadership import LOCK_KEY
from jobs.models import DeadLetter, PeriodicTask, WorkerProcess
from jobs.periodic import LATE, declared
from jobs.states import Status
from jobs.upkeep.examination import Check, Diagnosis, ok, problem, register_check, warning
from jobs.upkeep.selectors import audit_summary
from jobs.version import running_version

#: Seconds for which a worker that was lost is worth a word.
RECENT: Final = 86_400
#: Seconds that a job may be due before it is worth a word; a small quota makes bulk work wait for days.
LONG_WAIT: Final = 3_600
#: Names that one line shows.
SHOWN: Final = 3

_LEADER = """
SELECT count(*), date_trunc('second', statement_timestamp() - min(backend_start))::text
  FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
 WHERE locktype = 'advisory' AND granted AND objsubid = 1
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND classid = %s::bigint::oid AND objid = %s::bigint::oid
"""


def _some(names: Iterable[str]) -> str:
    """Return the first few names, and how many more there are."""
    all_names = list(names)
    more = len(all_names) - SHOWN
    return ", ".join(all_names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _workers() -> Diagnosis:
    number = workers.alive().count()
    if not number:
        return problem("none is alive: saves go on, and jobs wait", "Start manage.py rundramatiq.")
    return ok(f"{number} alive")


def _stuck() -> Diagnosis:
    stuck = list(workers.stuck().values_list("name", "busy_with"))
    if stuck:
        said = _some(f"{name} with {busy_with}" for name, busy_with in stuck)
        return problem(f"{len(stuck)} busy with one batch for longer than JOB_TIMEOUT: {said}", "Restart them.")
    return ok("none")


def _lost() -> Diagnosis:
    lost = WorkerProcess.objects.filter(state=WorkerProcess.State.LOST, last_heartbeat_at__gte=ago(RECENT))
    names = list(lost.order_by("-last_heartbeat_at").values_list("name", flat=True))
    if names:
        return warning(
            f"{len(names)} stopped beating within a day: {_some(names)}",
            "Look for what ended them: a host that went down, or the kernel for want of memory.",
        )
    return ok("none within a day")


def _memory() -> Diagnosis:
    full = list(workers.alive().filter(memory_high=True).values_list("name", flat=True))
    if full:
        return warning(f"{_some(full)} claim nothing for want of memory", "Give them more, or lower JOB_CONCURRENCY.")
    return ok("within their memory")


def _version() -> Diagnosis:
    others = workers.alive().exclude(version=running_version())
    found = [f"{row['version']} x {row['number']}" for row in others.values("version").annotate(number=Count("pk"))]
    if found:
        return warning(f"other code than {running_version()} here: {_some(found)}", "Restart the older ones.")
    return ok("the same code as here")


def _scheduler() -> Diagnosis:
    with connection.cursor() as cursor:
        cursor.execute(_LEADER, [LOCK_KEY >> 32, LOCK_KEY & 0xFFFFFFFF])
        number, age = cursor.fetchone()
    if number:
        return ok(f"a worker leads, connected for {age}")
    if workers.alive().exists():
        return problem(
            "no worker leads: nothing finds due jobs, lost workers or periodic work",
            "Look again in ten seconds; then restart the workers, and see that DATABASE_DIRECT_URL is set if"
            " DATABASE_URL leads to PgBouncer.",
        )
    return warning("nobody leads: no worker is alive", "Start manage.py rundramatiq.")


def _lanes() -> Diagnosis:
    lanes = selectors.lanes()
    paused = [lane for lane in lanes if lane["paused"]]
    said = _some(
        f"{lane['kind']} paused by {lane['circuit'] or lane['paused_by'] or 'somebody'}"
        + (f" ({lane['pause_reason']})" if lane["pause_reason"] else "")
        + f", {lane['waiting']} wait"
        for lane in paused
    )
    if any(lane["circuit"] for lane in paused):
        return problem(said, "Mend what the reason names, then resume the lane in the admin.")
    if paused:
        return warning(said, "Resume it in the admin when the reason is gone.")
    return ok(f"{len(lanes)} open")


def _waiting() -> Diagnosis:
    lanes = [lane for lane in selectors.lanes() if lane["oldest_waiting_seconds"] is not None and not lane["paused"]]
    if not lanes:
        return ok("no job is due")
    worst = max(lanes, key=lambda lane: float(lane["oldest_waiting_seconds"]))
    said = f"the oldest due job, {worst['kind']}, has waited for {worst['oldest_waiting_seconds']:,.0f} s"
    if worst["oldest_waiting_seconds"] > LONG_WAIT:
        return warning(said, "Start more workers, or raise the provider's quota (EMBEDDING_RPM, _TPM, _RPD).")
    return ok(said)


def _dead_letters() -> Diagnosis:
    unsettled = DeadLetter.objects.filter(resolved_at__isnull=True)
    causes = list(unsettled.values("error_class").annotate(number=Count("pk")).order_by("-number"))
    if causes:
        said = _some(f"{cause['number']} {cause['error_class']}" for cause in causes)
        return warning(f"nobody has settled {said}", "Mend the cause, then retry or resolve them in the admin.")
    return ok("none is unsettled")


def _periodic() -> Diagnosis:
    rows = PeriodicTask.objects.filter(name__in=[each.kind for each in declared()]).order_by("name")
    late = list(rows.filter(enabled=True, next_due_at__lt=ago(LATE)))
    if late:
        said = _some(f"{task.name} was due at {task.next_due_at:%Y-%m-%d %H:%M} UTC" for task in late)
        return problem(said, "See that a worker leads (scheduler): it makes these jobs.")
    failed = list(rows.filter(enabled=True, last_job__status=Status.DEAD).values_list("name", flat=True))
    if failed:
        return warning(f"the last job of {_some(failed)} is dead", "Read its dead letter in the admin, and retry it.")
    off = list(rows.filter(enabled=False).values_list("name", flat=True))
    if off:
        return warning(f"switched off: {_some(off)}", "Switch it on again when the reason is gone.")
    missed = _some(f"{task.name} {task.missed} times" for task in rows if task.missed)
    return ok("all in time" + (f" now; late so far: {missed}" if missed else ""))


def _audit() -> Diagnosis:
    summary = audit_summary()
    if summary["violations"]:
        said = f"{summary['violations']} violations: {_some(summary['violated'])}"
        return problem(said, "Run manage.py check_invariants --repair.")
    if summary["not_checked"]:
        return warning(f"not checked: {_some(summary['not_checked'])}", "Run manage.py check_invariants to see why.")
    if summary["stale"]:
        return warning("the last audit is missing, or older than two days", "Run manage.py check_invariants.")
    return ok(f"all invariants held at {summary['checked_at']:%Y-%m-%d %H:%M} UTC")


_NEEDS: Final = ("migrations",)

register_check(Check("workers", _workers, needs=_NEEDS))
register_check(Check("workers_stuck", _stuck, needs=_NEEDS))
register_check(Check("workers_lost", _lost, needs=_NEEDS))
register_check(Check("workers_memory", _memory, needs=_NEEDS))
register_check(Check("workers_version", _version, needs=_NEEDS))
register_check(Check("scheduler", _scheduler, needs=_NEEDS))
register_check(Check("lanes", _lanes, needs=_NEEDS))
register_check(Check("waiting_jobs", _waiting, needs=_NEEDS))
register_check(Check("dead_letters", _dead_letters, needs=_NEEDS))
register_check(Check("periodic", _periodic, needs=_NEEDS))
register_check(Check("audit", _audit, needs=_NEEDS))
