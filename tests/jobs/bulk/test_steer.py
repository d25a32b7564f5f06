"""Bulk actions whose job has come to an end without them, and what upkeep does about it."""

import pytest

from jobs.bulk.job_actions import CANCEL_JOBS
from jobs.bulk.start import BULK_ACTION
from jobs.bulk.steer import settle
from jobs.kinds import Kind
from jobs.lifecycle import cancel
from jobs.models import BulkAction, JobExecution
from jobs.upkeep.audit import audit, invariants, repair
from jobs.upkeep.pruners import prune
from tests.jobs.support import long_ago, waiting

from .support import begin, counts, its_job, work_off

pytestmark = pytest.mark.django_db(transaction=True)
INVARIANT = "bulk_actions_under_way_have_job"


@pytest.fixture
def bulk(kind: Kind) -> BulkAction:
    waiting(kind, *"abc")
    return begin(CANCEL_JOBS, JobExecution.objects.filter(kind=kind.name))


def found() -> int:
    (verdict,) = audit([INVARIANT])
    assert verdict.error == ""
    return verdict.finding.count


def test_one_whose_job_a_person_cancels_is_stopped(bulk: BulkAction) -> None:
    cancel(its_job(bulk).id, by="болд")
    assert settle() == 1
    assert counts(bulk)[0] == "stopped"
    assert bulk.finished_at is not None
    assert settle() == 0


def test_one_whose_job_waits_or_has_done_it_is_left_alone(bulk: BulkAction) -> None:
    assert settle() == 0
    work_off()
    assert settle() == 0
    assert counts(bulk) == ("done", 3, 0)


def test_one_that_has_lost_its_job_is_found_and_given_another(bulk: BulkAction) -> None:
    assert INVARIANT in {each.name for each in invariants()}
    assert found() == 0
    JobExecution.objects.filter(kind=BULK_ACTION).delete()
    assert found() == 1

    assert repair(audit([INVARIANT])) == {INVARIANT: 1}

    assert found() == 0
    work_off()
    assert counts(bulk) == ("done", 3, 0)


def test_one_that_has_ended_needs_no_job(bulk: BulkAction) -> None:
    work_off()
    JobExecution.objects.filter(kind=BULK_ACTION).delete()
    assert found() == 0


def test_old_ones_are_pruned_and_those_under_way_kept(bulk: BulkAction) -> None:
    BulkAction.objects.update(created_at=long_ago(9000 * 86_400))
    assert "bulk_actions" not in prune()
    work_off()
    BulkAction.objects.update(finished_at=long_ago(9000 * 86_400))
    assert prune()["bulk_actions"] == 1
