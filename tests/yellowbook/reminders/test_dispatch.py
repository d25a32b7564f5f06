"""From rows to jobs: once, by however many leaders, in batches."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from jobs.due import due_lanes
from jobs.duties import _duties
from jobs.execute import run_lane
from jobs.lifecycle import cancel
from jobs.models import JobExecution
from tests.concurrency import at_once
from tests.jobs.conftest import _healthy_breaker, dead_redis  # noqa: F401 fixtures
from yellowbook.reminders import dispatch
from yellowbook.reminders.models import Occasion, Schedule
from yellowbook.reminders.names import CALLED_OFF, SEND_REMINDER, SWEEP_REMINDERS, TOO_LATE

from .support import in_days, jobs, make_all_due, occasion


@pytest.mark.django_db
def test_a_job_is_made_of_what_is_due_in_one_transaction(owner: User) -> None:
    occasion(owner, offsets=[-3, -1])
    make_all_due()
    with transaction.atomic():
        assert dispatch.dispatch_due() == 2
        transaction.set_rollback(True)
    assert (jobs(), set(Schedule.objects.values_list("state", flat=True))) == (0, {"waiting"})
    assert dispatch.dispatch_due() == 2
    assert (jobs(), set(Schedule.objects.values_list("state", flat=True))) == (2, {"queued"})
    assert dispatch.dispatch_due() == 0


@pytest.mark.django_db(transaction=True)
def test_leaders_at_once_make_one_job_of_each(owner: User) -> None:
    for _ in range(5):
        occasion(owner, offsets=list(range(-9, 0)))
    make_all_due()
    taken = at_once(*[dispatch.dispatch_due] * 4)
    assert sum(taken) == 45
    assert jobs() == JobExecution.objects.values("subject").distinct().count() == 45


@pytest.mark.django_db
def test_the_sweep_deals_with_all_that_is_overdue_in_batches(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "BATCH", 4)
    assert not dispatch.have_swept()
    occasion(owner, offsets=list(range(-9, 0)))
    assert not dispatch.have_swept()
    make_all_due(120)
    assert dispatch.have_swept()
    assert run_lane(SWEEP_REMINDERS)
    assert jobs() == 9
    job = JobExecution.objects.get(kind=SWEEP_REMINDERS)
    assert (job.status, job.result) == ("succeeded", "swept")


@pytest.mark.django_db
def test_an_occasion_that_is_over_is_planned_again_by_the_sweep(owner: User) -> None:
    made = occasion(owner, date=in_days(1), recurrence="weekly")
    Occasion.objects.update(date=in_days(-69), plan_at=timezone.now())
    Schedule.objects.all().delete()
    assert dispatch.have_swept()
    assert run_lane(SWEEP_REMINDERS)
    assert Schedule.objects.filter(occasion=made, state="waiting").exists()
    assert not dispatch.have_swept()


def test_the_leader_looks_by_itself_and_sweeps_every_five_minutes() -> None:
    duties = {name: duty.every for name, duty in _duties.items() if name.endswith("_reminders")}
    assert duties == {"dispatch_reminders": 2.0, "sweep_reminders": 300.0}


@pytest.mark.django_db
def test_what_is_a_day_late_is_skipped_by_the_sweep_too(owner: User) -> None:
    occasion(owner)
    make_all_due(2 * 86_400)
    assert dispatch.dispatch_due() == 1
    assert (Schedule.objects.get().state, Schedule.objects.get().reason, jobs()) == ("skipped", TOO_LATE, 0)


@pytest.mark.django_db
def test_a_reminder_whose_job_a_person_cancels_has_failed_and_says_so(owner: User) -> None:
    occasion(owner)
    make_all_due()
    dispatch.dispatch_due()
    assert dispatch.settle_called_off() == 0
    cancel(JobExecution.objects.get(kind=SEND_REMINDER).pk, by="оператор")
    assert dispatch.have_swept()
    assert dispatch.settle_called_off() == 1
    assert (Schedule.objects.get().state, Schedule.objects.get().reason) == ("failed", CALLED_OFF)


@pytest.mark.django_db(transaction=True)
def test_with_redis_down_everything_but_the_sending_goes_on(
    owner: User,
    dead_redis: Callable[[], None],  # noqa: F811
) -> None:
    occasion(owner)
    make_all_due()
    assert dispatch.dispatch_due() == 1
    assert due_lanes([SEND_REMINDER]) == [SEND_REMINDER]
