"""The kinds of job that look after the rows."""

from jobs.batch import Batch
from jobs.kinds import Kind, register
from jobs.periodic import every
from jobs.schedule import Every
from jobs.upkeep.pruners import prune

PRUNE = "prune"


def _prune(batch: Batch) -> None:
    """Delete what is old; the result says how much."""
    gone = sum(prune().values())
    for job in batch.jobs:
        batch.succeed(job, f"{gone} rows" if gone else "nothing old")


register(Kind(name=PRUNE, handler=_prune, concurrency=1))
every(Every(3600), PRUNE)
