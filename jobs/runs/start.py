"""How a run begins."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from jobs.actor import Actor, current_actor
from jobs.kinds import Kind, get_kind
from jobs.lifecycle import StateConflict
from jobs.models import Run
from jobs.runs.feeds import Feed

State = Run.State

#: States in which a run is under way.
ACTIVE = (State.RUNNING, State.STOPPING)


class RunActive(StateConflict):
    """A fed run of the kind is under way already: `run`."""

    def __init__(self, run: Run) -> None:
        told = _("Run %(id)s of %(kind)s is %(state)s: stop it, or wait for its end.")
        super().__init__(told % {"id": run.id, "kind": run.kind, "state": _(run.state)})
        self.run = run


def start_run(kind: str, *, total: int, actor: Actor | None = None) -> Run:
    """Open a run over `total` subjects; its jobs are made with it, in the same transaction."""
    actor = actor or current_actor()
    return Run.objects.create(
        kind=get_kind(kind).name, requested_by=actor.triggered_by, source=actor.source, total=total
    )


def start_fed_run(kind: str, options: Mapping[str, Any], *, actor: Actor | None = None) -> Run:
    """Start a run whose jobs are made bit by bit, as its workers need them.

    Options that every fed run has: `batch_size` (subjects fed at a time, where there is a `delay`), `delay` (seconds
    between two batches; 0: as fast as the work goes), `resume_from` (feed what comes after this subject), `limit` (at
    most so many subjects), `priority` (of its jobs). The kind's feed may have more.

    Raises `RunActive` when one of the kind is under way.
    """
    declared = get_kind(kind)
    actor = actor or current_actor()
    total = feed_of(declared).count(options)
    if options.get("limit"):
        total = min(total, options["limit"])
    try:
        with transaction.atomic():
            return Run.objects.create(
                kind=declared.name,
                fed=True,
                fed_all=False,
                options=dict(options),
                requested_by=actor.triggered_by,
                source=actor.source,
                total=total,
                cursor=options.get("resume_from") or "",
            )
    except IntegrityError:
        active = active_run(kind)
        if active is None:
            raise
        raise RunActive(active) from None


def active_run(kind: str) -> Run | None:
    """Return the fed run of a kind that is under way, if any."""
    return Run.objects.filter(kind=kind, fed=True, state__in=ACTIVE).first()


def feed_of(kind: Kind) -> Feed:
    """Return the kind's feed; `LookupError` for a kind without one."""
    if kind.feed is None:
        raise LookupError(f"jobs of kind {kind.name!r} can't be made by a run: it declares no feed")
    return kind.feed
