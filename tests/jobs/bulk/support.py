"""Bulk actions, and how they are worked off."""

from typing import Any

from jobs.bulk.actions import Action, Asked
from jobs.bulk.criteria import by_ids
from jobs.bulk.letters import API, RETRY_LETTERS
from jobs.bulk.start import BULK_ACTION, start
from jobs.deadletters import matching
from jobs.kinds import Kind, get_kind
from jobs.models import BulkAction, JobExecution
from tests.jobs.support import make_due, run_until_idle

BOLD = Asked("болд", "admin", "the provider is back")


def retry_all(kind: Kind, **options: Any) -> BulkAction:
    """Have all open dead letters of a kind retried."""
    rows = matching(kind=kind.name)
    up_to = RETRY_LETTERS.keyset.newest(rows)
    return start(RETRY_LETTERS, {API: {"kind": kind.name}}, rows, BOLD, up_to=up_to, **options)


def begin(action: Action, rows: Any, **options: Any) -> BulkAction:
    """Have something done to rows that are named one by one."""
    return start(action, by_ids(list(rows.values_list("pk", flat=True))), rows, BOLD, **options)


def work_off() -> int:
    """Let the lane come to rest; return how many turns it took."""
    return run_until_idle(get_kind(BULK_ACTION))


def its_job(bulk: BulkAction) -> JobExecution:
    """Return the job that works a bulk action off."""
    return JobExecution.objects.get(kind=BULK_ACTION, subject=str(bulk.id))


def hurry(bulk: BulkAction) -> None:
    """Let its job be due now."""
    make_due(its_job(bulk))


def counts(bulk: BulkAction) -> tuple[str, int, int]:
    """Return (state, done, skipped) as they are now."""
    bulk.refresh_from_db()
    return bulk.state, bulk.done, bulk.skipped
