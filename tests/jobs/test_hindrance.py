"""What somebody is told who waits for a job that does not begin."""

from datetime import timedelta
from typing import Any

import pytest

from jobs import clock
from jobs.errors import NetworkError
from jobs.hindrance import DELAYED_AFTER, hindrance
from jobs.kinds import Kind
from jobs.models import JobExecution, Lane
from tests.jobs.support import claimed, end, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def lane(kind: Kind, **changes: Any) -> None:
    """Give the lane a state."""
    Lane.objects.update_or_create(kind=kind.name, defaults=changes)


def test_nothing_hinders_a_job_that_was_made_just_now(kind: Kind) -> None:
    lane(kind)
    assert hindrance(waiting(kind, "a")[0]) == ("", None)


def test_a_pause_comes_before_all_else_and_tells_its_end(kind: Kind) -> None:
    claimed_job = claimed(kind, "a")
    end(claimed_job, NetworkError("away"))
    until = clock.now() + timedelta(hours=1)
    lane(kind, paused_at=clock.now(), closed_until=until)
    job = JobExecution.objects.get()
    assert hindrance(job) == ("Its lane is paused.", None)
    lane(kind, paused_until=until)
    assert hindrance(job) == ("Its lane is paused.", until)


def test_a_pause_that_is_over_and_the_pause_of_another_lane_hinder_nobody(kind: Kind) -> None:
    past = clock.now() - timedelta(seconds=1)
    lane(kind, paused_at=past - timedelta(hours=1), paused_until=past, closed_until=past)
    Lane.objects.create(kind="another", paused_at=past)
    assert hindrance(waiting(kind, "a")[0]) == ("", None)


def test_a_failure_is_told_without_its_details_and_with_the_next_attempt(kind: Kind) -> None:
    end(claimed(kind, "a"), NetworkError("10.0.0.7 is away"))
    job = JobExecution.objects.get()
    assert hindrance(job) == ("The last attempt failed; it is tried again by itself.", job.next_attempt_at)


def test_limits_that_are_used_up_tell_when_they_are_free_again(kind: Kind) -> None:
    until = clock.now() + timedelta(minutes=1)
    lane(kind, closed_until=until)
    assert hindrance(waiting(kind, "a")[0]) == ("The provider's limits are used up for the moment.", until)


@pytest.mark.parametrize(("seconds", "late"), [(DELAYED_AFTER - 20, False), (DELAYED_AFTER + 1, True)])
def test_a_job_that_is_due_for_long_waits_for_workers(kind: Kind, seconds: float, late: bool) -> None:
    (job,) = waiting(kind, "a", next_attempt_at=clock.now() - timedelta(seconds=seconds))
    assert hindrance(job) == ("It waits longer than usual: workers are busy or away." if late else "", None)
