"""Who asks for a job: carried along by context, so that a model's signal knows it too."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from jobs.states import Source


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a part of the system, and the door they came through."""

    triggered_by: str
    source: str


_current: ContextVar[Actor | None] = ContextVar("jobs_actor", default=None)


def current_actor() -> Actor:
    """Return who acts in this context; a plain process counts as `system` on the command line."""
    return _current.get() or Actor("system", Source.CLI)


@contextmanager
def acting_as(triggered_by: str, source: str) -> Iterator[Actor]:
    """Attribute every job made inside the block to `triggered_by`, coming from `source`."""
    actor = Actor(triggered_by, source)
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)
