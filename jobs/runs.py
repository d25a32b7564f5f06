"""Runs: bulk operations over many subjects."""

from jobs.actor import Actor, current_actor
from jobs.kinds import get_kind
from jobs.models import Run


def start_run(kind: str, *, total: int, actor: Actor | None = None) -> Run:
    """Open a run over `total` subjects; its jobs are made with it, in the same transaction."""
    actor = actor or current_actor()
    return Run.objects.create(
        kind=get_kind(kind).name, requested_by=actor.triggered_by, source=actor.source, total=total
    )
