"""The times that the dashboard can show."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from jobs.models import Step


@dataclass(frozen=True, slots=True)
class Span:
    """Some time up to now, in equal steps."""

    name: str
    title: str
    length: timedelta
    step: Step

    @property
    def step_length(self) -> timedelta:
        """How long a step is."""
        return timedelta(minutes=1) if self.step == Step.MINUTE else timedelta(hours=1)

    def moments(self, now: datetime) -> list[datetime]:
        """Return the beginnings of its steps; the last one is under way."""
        last = now.replace(second=0, microsecond=0)
        if self.step == Step.HOUR:
            last = last.replace(minute=0)
        number = self.length // self.step_length
        return [last - self.step_length * back for back in reversed(range(number))]


HOUR = Span("1h", gettext_noop("1 hour"), timedelta(hours=1), Step.MINUTE)
#: By name; the first one is shown to who has not chosen.
SPANS = {
    span.name: span
    for span in (
        HOUR,
        Span("24h", gettext_noop("24 hours"), timedelta(hours=24), Step.HOUR),
        Span("7d", gettext_noop("7 days"), timedelta(days=7), Step.HOUR),
    )
}
