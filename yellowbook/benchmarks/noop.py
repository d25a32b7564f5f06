"""A kind of job that does nothing: measured with it is what a job costs by itself. It is no kind of the product."""

from typing import Final

from jobs.batch import Batch
from jobs.kinds import Kind, register

NOOP: Final = "benchmark_noop"
#: Jobs that one claim takes.
BATCH: Final = 1_000


def nothing(batch: Batch) -> None:
    """End all of them well."""
    for job in batch.jobs:
        batch.succeed(job, "done")


def declare() -> None:
    """Make the kind known to this process."""
    register(Kind(name=NOOP, handler=nothing, batch_size=BATCH, subject_is_id=False))
