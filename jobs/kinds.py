"""The kinds of job that this installation knows. A kind is declared in one place: a `kinds.py` of any installed app.

from jobs.kinds import Kind, register

register(Kind(name="send_postcard", handler=send_postcards, subject_name="customer_id"))
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from jobs.errors import ErrorClass
from jobs.retry import DEFAULT_POLICY, Rule

if TYPE_CHECKING:
    from jobs.batch import Batch
    from jobs.runs.feeds import Feed
    from jobs.throttle import Throttle


def _default_concurrency() -> int:
    return int(settings.JOB_CONCURRENCY)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of job and the lane that all jobs of the kind share."""

    #: Name of the kind, of its lane and of its queue, e.g. `generate_embedding`.
    name: str
    #: Does the work of up to `batch_size` jobs at once; see `jobs.batch.Batch`. Must be safe to run twice.
    handler: "Callable[[Batch], None]"
    #: What the subject is called outside, e.g. `business_id`.
    subject_name: str = "subject"
    #: Whether its subjects are UUIDs; else they are any text. The same for all kinds with one name for theirs.
    subject_is_id: bool = True
    #: Label of the subject's model, e.g. `shop.Customer`, where its rows are shown in the admin; empty if nowhere.
    subject_model: str = ""
    #: The most jobs that one claim takes and one call of the handler gets.
    batch_size: int = 1
    #: How many batches of the lane may be worked on at once, over all workers.
    concurrency: int = field(default_factory=_default_concurrency)
    #: Seconds that a claim holds back when the lane is already at work and less than a full batch is due, so that a
    #: burst of single saves is batched (Nagle's rule). An idle lane never waits.
    linger: float = 2.0
    #: Bytes of memory that one job takes at most while its batch is worked on.
    job_bytes: int = 256 * 1024
    #: The budget that its work spends; None: none. Asked for when a lane takes its turn.
    throttle: Callable[[], "Throttle | None"] = field(default=lambda: None)
    #: Tries cheaply whether the lane's work would succeed; raises a `jobs.errors.JobError` when not.
    probe: Callable[[], None] | None = None
    #: Called once in dramatiq's master before it forks the workers: imports what they need, and opens nothing.
    preload: Callable[[], object] | None = None
    #: Called once in every worker process before it takes work: loads what the first job would wait for.
    warm_up: Callable[[], object] | None = None
    #: Failures that are retried before the job is dead, unless the caller of `enqueue` says otherwise.
    max_retries: int = 3
    #: The subjects that a run over all of them is about; None: there is no such run.
    feed: "Feed | None" = None
    #: What each failure class leads to.
    retry: Mapping[ErrorClass, Rule] = field(default_factory=lambda: DEFAULT_POLICY)


#: What a line of the log says besides the subject, which stands there under its name.
_LOGGED = frozenset(
    {
        *("event", "level", "logger", "timestamp", "lane", "lease_id"),
        *("job_id", "attempt", "duration_ms", "result", "error_class", "error", "split_size"),
    }
)

_kinds: dict[str, Kind] = {}


class UnknownKind(LookupError):
    """No installed app declares a kind of this name."""


def register(kind: Kind) -> Kind:
    """Make `kind` known. Names are unique: a second, different kind of one name is a mistake.

    Raises `ValueError` for that, and for a name of the subject that a line of the log has for something else.
    """
    if kind.subject_name in _LOGGED:
        raise ValueError(f"the subject of {kind.name!r} can't be called {kind.subject_name!r}: logs use the word")
    if _kinds.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"a kind of job named {kind.name!r} is already declared")
    return kind


def discover() -> None:
    """Import `kinds.py` of every installed app; called once when the apps are ready."""
    autodiscover_modules("kinds")


def get_kind(name: str) -> Kind:
    """Return the kind called `name`; raises `UnknownKind`."""
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise UnknownKind(f"unknown kind of job {name!r}: this installation knows {known}") from None


def subject_names() -> dict[str, bool]:
    """Return what the subjects of all kinds are called outside, by name, and whether those are UUIDs."""
    return {kind.subject_name: kind.subject_is_id for kind in all_kinds() if kind.subject_name != "subject"}


def all_kinds() -> list[Kind]:
    """Return every kind, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
