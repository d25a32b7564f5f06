"""Periodic work: declared next to its kind of job, made a job by the leader when its time has come.

register(Kind(name="prune", handler=prune))
every(Every(3600), "prune")

The job does the work like any other: with retries, a dead letter, and its history in the rows. A job of it that still
waits is joined, so periodic work never piles up. Times that passed while nobody led are made good once.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models.functions import Now

from jobs import clock
from jobs.actor import Actor, current_actor
from jobs.duties import Duty
from jobs.duties import register as register_duty
from jobs.enqueue import Enqueued, enqueue
from jobs.kinds import UnknownKind, get_kind
from jobs.models import PeriodicTask
from jobs.schedule import Schedule
from jobs.states import Operation, Priority, Source

log = structlog.get_logger(__name__)

#: Seconds between the leader's looks.
LOOK_EVERY = 5.0
#: Seconds that a start may be late before it counts as missed.
LATE = 300.0


@dataclass(frozen=True, slots=True)
class Periodic:
    """A kind of job that is due by a schedule; its subject is always `SUBJECT`."""

    kind: str
    schedule: Schedule
    priority: Priority = Priority.LOW


#: The subject of every periodic job: there is one waiting job of a kind at a time.
SUBJECT = "periodic"

_declared: dict[str, Periodic] = {}


def every(schedule: Schedule, kind: str, *, priority: str | Priority = Priority.LOW) -> Periodic:
    """Have a job of `kind` made whenever `schedule` says so."""
    found = Periodic(kind, schedule, Priority.named(priority))
    if _declared.setdefault(kind, found) != found:
        raise ValueError(f"{kind!r} has a schedule already")
    return found


def declared() -> list[Periodic]:
    """Return all periodic work, by name."""
    return [_declared[kind] for kind in sorted(_declared)]


def start_due() -> list[str]:
    """Make a job of everything that is due; return the kinds. Two leaders at once start each only once."""
    now = clock.now()
    known = {task.name: task for task in PeriodicTask.objects.filter(name__in=_declared)}
    for periodic in declared():
        if periodic.kind not in known:
            PeriodicTask.objects.get_or_create(
                name=periodic.kind, defaults={"next_due_at": periodic.schedule.after(now)}
            )
    due = [name for name, task in known.items() if task.enabled and task.next_due_at <= now]
    return [name for name in due if _start_if_due(_declared[name])]


def _start_if_due(periodic: Periodic) -> bool:
    with transaction.atomic():
        task = PeriodicTask.objects.select_for_update(skip_locked=True).filter(name=periodic.kind).first()
        now = clock.now()
        if task is None or not task.enabled or task.next_due_at > now:
            return False
        started = _start_known(periodic, task)
        late = now - task.next_due_at
        if started and late > timedelta(seconds=LATE):
            task.missed += 1
            log.warning("periodic_missed", kind=periodic.kind, due_at=task.next_due_at.isoformat())
        task.next_due_at = periodic.schedule.after(now)
        task.save(update_fields=["next_due_at", "missed"])
    return started


def _start_known(periodic: Periodic, task: PeriodicTask) -> bool:
    """Make the job; a kind that no app declares is logged once a period and keeps no other from its turn."""
    try:
        _start(periodic, task, Actor("scheduler", Source.CRON))
    except UnknownKind as error:
        log.error("periodic_kind_unknown", kind=periodic.kind, error=str(error))
        return False
    return True


def run_now(kind: str, *, actor: Actor | None = None) -> Enqueued:
    """Make its job at once, whatever the schedule says; `LookupError` for a kind without one."""
    periodic = _declared[kind]
    with transaction.atomic():
        task, _ = PeriodicTask.objects.select_for_update().get_or_create(
            name=kind, defaults={"next_due_at": periodic.schedule.after(clock.now())}
        )
        return _start(periodic, task, actor or current_actor())


def enable(kind: str, *, enabled: bool) -> None:
    """Switch the schedule on or off. Switched on again, it goes on with the next due time; one that is on stays due."""
    periodic = _declared[kind]
    following = periodic.schedule.after(clock.now())
    changes = {"enabled": enabled, "next_due_at": following}
    _, created = PeriodicTask.objects.get_or_create(name=kind, defaults=changes)
    if not created:
        PeriodicTask.objects.filter(name=kind).exclude(enabled=enabled).update(**changes)


def _start(periodic: Periodic, task: PeriodicTask, actor: Actor) -> Enqueued:
    """Make the job and note it; call it in a transaction that holds the task's row."""
    entry = enqueue(
        get_kind(periodic.kind).name,
        subject=SUBJECT,
        operation=Operation.UPDATE,
        priority=periodic.priority,
        actor=actor,
    )
    PeriodicTask.objects.filter(name=task.name).update(last_started_at=Now(), last_job=entry.job_id)
    return entry


register_duty(Duty("periodic", LOOK_EVERY, start_due))
