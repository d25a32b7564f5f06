"""The parts of a job: its vectors by one model each.

Most jobs have one part, the vector by the serving model. A job that fills in another model has two, that model's and
the serving one's: a save of the same business joins the job that waits, and its text must be served.
"""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_noop

from embeddings.current import provider_for
from embeddings.prepare import Prepared
from embeddings.providers.base import Provider
from embeddings.source import SourceText
from jobs.batch import Batch
from jobs.errors import JobError
from jobs.lifecycle import ClaimedJob, Failure, Postponed
from jobs.lifecycle.finish import Outcome

#: How a job whose parts all went well ends: as the first of these that one of them did.
RESULTS = (gettext_noop("embedded"), gettext_noop("cached"), gettext_noop("unchanged"))


@dataclass(frozen=True, slots=True)
class Part:
    """A text that needs a vector by the provider's model."""

    job: ClaimedJob
    provider: Provider
    source: SourceText
    prepared: Prepared
    #: Whether it is embedded even where the vector of an equal text is known.
    forced: bool = False

    @property
    def text(self) -> tuple[str, str]:
        """What tells its text from others of the batch: model and hash."""
        return self.provider.model, self.source.text_hash


def wished_model(job: ClaimedJob) -> str:
    """Return the model that the job was made for; empty for whichever serves."""
    return str(job.metadata.get("model") or "")


def providers_of(job: ClaimedJob, serving: Provider) -> list[Provider]:
    """Return what the job needs vectors by, what it was made for first.

    Raises `ConfigurationError` when it was made for a model that the provider can't make.
    """
    wished = wished_model(job)
    return [serving] if wished in {"", serving.model} else [provider_for(wished), serving]


class Ends:
    """Tells the batch how each job ends, as soon as all of its parts are known."""

    def __init__(self, batch: Batch, serving: Provider) -> None:
        self._batch = batch
        self._known: dict[UUID, list[Outcome]] = defaultdict(list)
        self._parts = {job.id: 1 if wished_model(job) in {"", serving.model} else 2 for job in batch.jobs}

    def part(self, job: ClaimedJob, outcome: Outcome | JobError) -> None:
        """Note how one part ended: a result, what went wrong, or that it has to wait."""
        known = self._known[job.id]
        known.append(Failure(outcome) if isinstance(outcome, JobError) else outcome)
        if len(known) == self._parts[job.id]:
            self._tell(job, known)

    def _tell(self, job: ClaimedJob, known: list[Outcome]) -> None:
        for each in known:
            if isinstance(each, Failure):
                self._batch.fail(job, each.error)
                return
        waits = [each.split_size for each in known if isinstance(each, Postponed)]
        if waits:
            self._batch.postpone(job, split_size=max(waits))
        else:
            self._batch.succeed(job, min((str(each) for each in known), key=RESULTS.index))
