"""What a kind of job tells of the subjects that a run of it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from jobs.runs.forms import RunForm

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A subject to make a job for, and what its job's metadata says besides."""

    subject: str
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run would come to."""

    #: Subjects that it would make jobs for.
    total: int
    #: Of those, the jobs that would end without a call of the provider: by result, e.g. {"unchanged": 12}.
    free: Mapping[str, int] = field(default_factory=dict)
    #: Subjects whose text would be cut to the model's limit.
    too_long: int = 0
    #: What would be sent: texts, and their tokens.
    texts: int = 0
    tokens: int = 0
    #: US dollars.
    cost: float = 0.0


class Feed(Protocol):
    """Goes through the subjects of a kind in the order of their ids, so that a run can stop anywhere and go on there.

    Options are plain JSON; those that every run has are described at `jobs.runs.start.start_fed_run`.
    """

    #: Asks a person for the options.
    form: type[RunForm]

    def count(self, options: Options) -> int:
        """Return how many subjects there are to deal with."""

    def page(self, options: Options, *, run_id: UUID, after: str, limit: int) -> list[Item]:
        """Return the next subjects after `after` (empty: from the first), without those that have a job in the run."""

    def estimate(self, options: Options) -> Estimate:
        """Return what a run with these options would come to; nothing is written."""
