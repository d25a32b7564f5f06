"""The kinds of job that look after the rows."""

from jobs.batch import Batch
from jobs.kinds import Kind, register
from jobs.periodic import every
from jobs.schedule import Daily, Every
from jobs.upkeep.audit import audit
from jobs.upkeep.pruners import prune

PRUNE = "prune"
AUDIT = "audit"

#: Seconds after which a nightly audit begins nothing more: well within the time that a job may take.
AUDIT_WITHIN = 120.0


def _prune(batch: Batch) -> None:
    """Delete what is old; the result says how much."""
    gone = sum(prune().values())
    for job in batch.jobs:
        batch.succeed(job, f"{gone} rows" if gone else "nothing old")


def _audit(batch: Batch) -> None:
    """Check the invariants; the result says how many are violated. Nothing is repaired: that is a person's decision."""
    verdicts = audit(within=AUDIT_WITHIN)
    violated = sum(verdict.finding.count > 0 for verdict in verdicts)
    failed = sum(verdict.error != "" for verdict in verdicts)
    said = [f"{violated} violated"] * (violated > 0) + [f"{failed} not checked"] * (failed > 0)
    for job in batch.jobs:
        batch.succeed(job, ", ".join(said) or "all hold")


register(Kind(name=PRUNE, handler=_prune, concurrency=1))
register(Kind(name=AUDIT, handler=_audit, concurrency=1))
every(Every(3600), PRUNE)
every(Daily(3), AUDIT)
