"""The kinds of job of this app, and the leader's look at what is marked."""

from typing import Final

from jobs.batch import Batch
from jobs.duties import Duty
from jobs.duties import register as register_duty
from jobs.kinds import Kind, register
from jobs.periodic import every
from jobs.schedule import Every
from yellowbook.similarity.compute import compute_similarities
from yellowbook.similarity.feed import CategoryFeed
from yellowbook.similarity.marks import COMPUTE_SIMILARITY, forget, mark_due, start_due

#: Marks what is due by its age.
RENEW_SIMILARITY: Final = "renew_similarity"


def _renew(batch: Batch) -> None:
    """Mark what is due; the result says how much."""
    forget()
    due = mark_due()
    for job in batch.jobs:
        batch.succeed(job, f"{due} due" if due else "nothing due")


register(
    Kind(
        name=COMPUTE_SIMILARITY,
        handler=compute_similarities,
        subject_name="category",
        subject_is_id=False,
        batch_size=50,
        # One computation uses all of the processor; the second one reads meanwhile.
        concurrency=2,
        job_bytes=6 * 1024 * 1024,
        feed=CategoryFeed(),
    )
)
register(Kind(name=RENEW_SIMILARITY, handler=_renew, concurrency=1))
every(Every(3600), RENEW_SIMILARITY)
register_duty(Duty("similarity", 1.0, start_due))
