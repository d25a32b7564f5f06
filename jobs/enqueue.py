"""The door to the queue: write the job with the change that causes it, send the wake-up once that is committed."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from jobs.actor import Actor, current_actor
from jobs.kinds import get_kind
from jobs.lifecycle import Entry, enter
from jobs.lifecycle.enter import origin
from jobs.models import Run
from jobs.states import Priority
from jobs.wake import wake

#: The waiting job of a subject, as `enqueue` reports it.
Enqueued = Entry


def enqueue(
    kind: str,
    *,
    subject: UUID | str,
    operation: str = "update",
    priority: str | Priority = "normal",
    actor: Actor | None = None,
    metadata: Mapping[str, Any] | None = None,
    max_retries: int | None = None,
) -> Enqueued:
    """Make sure that a job of `kind` waits for `subject`; call it in the transaction of the change that needs it.

    A job that waits already is joined and keeps the more urgent of both priorities; one that runs does not count,
    since it may have read the old state. Raises `jobs.kinds.UnknownKind` and `ValueError` (unknown priority).
    """
    return enqueue_many(
        kind,
        [subject],
        operation=operation,
        priority=priority,
        actor=actor,
        extras=[metadata] if metadata else None,
        max_retries=max_retries,
    )[0]


def enqueue_many(
    kind: str,
    subjects: Sequence[UUID | str],
    *,
    operation: str = "bulk",
    priority: str | Priority = "normal",
    actor: Actor | None = None,
    extras: Sequence[Mapping[str, Any]] | None = None,
    max_retries: int | None = None,
    run: Run | None = None,
) -> list[Enqueued]:
    """Do what `enqueue` does for many distinct subjects, in one statement; `extras` adds metadata to each."""
    if not subjects:
        return []
    declared = get_kind(kind)
    level = Priority.named(priority)
    with transaction.atomic(savepoint=False):
        entries = enter(
            kind,
            [str(subject) for subject in subjects],
            operation=operation,
            priority=level,
            max_retries=declared.max_retries if max_retries is None else max_retries,
            metadata=origin(actor or current_actor()),
            extras=extras,
            run=run,
        )
        if run is not None:
            own = sum(entry.run_id == run.id for entry in entries)
            Run.objects.filter(id=run.id).update(made=F("made") + own, skipped=F("skipped") + len(entries) - own)
        transaction.on_commit(partial(wake, kind), robust=True)
    return entries
