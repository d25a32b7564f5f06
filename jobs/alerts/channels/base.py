"""What a channel is."""

from collections.abc import Callable
from dataclasses import dataclass

from jobs.alerts.models import AlertEvent


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One way to reach people."""

    name: str
    #: Whether the settings name somebody to reach.
    enabled: Callable[[], bool]
    #: Delivers an event; raises a `jobs.errors.JobError`, whose class decides whether it is tried again. May be called
    #: twice for one event, and ends within a deadline of its own.
    deliver: Callable[[AlertEvent], None]
