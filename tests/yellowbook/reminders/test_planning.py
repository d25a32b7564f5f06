"""Which reminders an occasion has, as it is saved, changed and deleted, and as time goes by."""

from datetime import date, time, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs.models import JobExecution
from yellowbook.reminders.dispatch import dispatch_due, plan_due
from yellowbook.reminders.models import Occasion, Schedule
from yellowbook.reminders.names import OCCASION_CHANGED, PASSED, SEND_REMINDER
from yellowbook.reminders.planning import LOOK_AHEAD, planned
from yellowbook.reminders.services import delete_occasion, save_occasion

from .support import in_days, jobs, make_all_due, occasion, states

pytestmark = pytest.mark.django_db


def test_a_save_makes_one_row_for_each_offset_and_channel_and_no_job(owner: User) -> None:
    day = in_days(10)
    occasion(owner, offsets=[-7, -3, -1], channels=["email", "push"])
    expected = {(day, offset, channel): "waiting" for offset in (-7, -3, -1) for channel in ("email", "push")}
    assert states() == expected
    assert jobs() == 0


def test_each_is_due_at_the_time_of_day_where_the_occasion_is(owner: User) -> None:
    made = occasion(owner, offsets=[-3, -1])
    for row in Schedule.objects.all():
        # Ulaanbaatar is eight hours ahead of UTC: nine o'clock there is one here.
        assert (row.due_at.date(), row.due_at.hour) == (made.date + timedelta(days=row.offset), 1)


def test_what_had_passed_when_it_was_saved_is_skipped_and_says_so(owner: User) -> None:
    occasion(owner, date=in_days(2), offsets=[-7, -1])
    assert sorted(Schedule.objects.values_list("offset", "state", "reason")) == [
        (-7, "skipped", PASSED),
        (-1, "waiting", ""),
    ]
    dispatch_due()
    assert jobs() == 0


def test_an_occasion_that_is_over_has_no_reminders(owner: User) -> None:
    made = occasion(owner, date=in_days(-10))
    assert states() == {}
    assert Occasion.objects.get(pk=made.pk).plan_at is None


def test_a_recurring_one_is_planned_ahead_and_again_when_one_is_over(owner: User) -> None:
    made = occasion(owner, date=in_days(1), recurrence="weekly", offsets=[0])
    days = {key[0] for key in states()}
    assert days == {in_days(1 + 7 * number) for number in range(10) if 1 + 7 * number <= LOOK_AHEAD}
    first = Occasion.objects.get(pk=made.pk).plan_at
    assert first.date() == in_days(1)

    # Two weeks go by: the occasion moves back as seen from now.
    Schedule.objects.all().delete()
    Occasion.objects.update(date=in_days(-13), plan_at=timezone.now() - timedelta(days=13))
    assert plan_due() == 1
    assert in_days(1) in {key[0] for key in states()}
    assert plan_due() == 0


def test_the_next_yearly_one_is_planned_however_far_away(owner: User) -> None:
    occasion(owner, date=in_days(-10), recurrence="yearly")
    ((day, _, _),) = states()
    assert day > in_days(300)


def test_whenever_it_is_planned_again_no_reminder_has_been_missed(owner: User) -> None:
    """Follows the plan's own times for two years, and compares with a plan that looks at every day."""
    for recurrence in ("weekly", "monthly", "yearly"):
        made = Occasion(
            owner=owner, title="x", date=date(2026, 1, 31), time=time(2, 30), time_zone="America/New_York",
            recurrence=recurrence, offsets=[-30, -7, 0], channels=["email"],
        )  # fmt: skip
        now = timezone.now()
        end = now + timedelta(days=730)
        known = dict(planned(made, now).due)
        moment, turns = planned(made, now).plan_at, 0
        while moment and moment < end:
            plan = planned(made, moment)
            fresh = {key: due for key, due in plan.due.items() if key not in known and key[0] in plan.ahead}
            assert all(due > moment for due in fresh.values()), recurrence
            known |= fresh
            moment, turns = plan.plan_at, turns + 1
        assert turns >= 1


def test_another_time_reschedules_and_another_day_cancels(owner: User) -> None:
    made = occasion(owner)
    (before,) = Schedule.objects.all()
    made.time = time(10)
    save_occasion(made)
    (after,) = Schedule.objects.all()
    assert (after.pk, after.state, after.due_at - before.due_at) == (before.pk, "waiting", timedelta(hours=1))
    made.date = in_days(20)
    save_occasion(made)
    assert states() == {(in_days(10), -1, "email"): "cancelled", (in_days(20), -1, "email"): "waiting"}
    assert Schedule.objects.get(pk=before.pk).reason == OCCASION_CHANGED


def test_what_was_cancelled_is_wanted_again_when_the_occasion_is_changed_back(owner: User) -> None:
    made = occasion(owner, offsets=[-3, -1])
    made.offsets = [-1]
    save_occasion(made)
    assert states()[in_days(10), -3, "email"] == "cancelled"
    made.offsets = [-3, -1]
    save_occasion(made)
    assert set(states().values()) == {"waiting"}


def test_an_edit_of_the_title_leaves_what_is_under_way_alone(owner: User) -> None:
    made = occasion(owner, date=in_days(1), time=time(23, 59), time_zone="UTC", offsets=[-1])
    Schedule.objects.update(state="queued")
    made.title = "Цагаан сар"
    save_occasion(made)
    assert set(states().values()) == {"queued"}


def test_planning_after_the_occasion_leaves_what_is_still_on_its_way_alone(owner: User) -> None:
    made = occasion(owner, offsets=[0])
    now = timezone.now()
    over = timezone.localtime(now - timedelta(minutes=1))
    # A minute ago it was time: the occasion is over, and its reminder of the day itself is on its way.
    Occasion.objects.filter(pk=made.pk).update(
        date=over.date(), time=over.time().replace(microsecond=0), time_zone="UTC", plan_at=now
    )
    due = planned(Occasion.objects.get(pk=made.pk), now).due[over.date(), 0, "email"]
    Schedule.objects.update(occurrence=over.date(), due_at=due, state="queued")
    assert plan_due() == 1
    assert set(states().values()) == {"queued"}


def test_what_was_sent_stays_sent_whatever_is_edited(owner: User) -> None:
    made = occasion(owner)
    Schedule.objects.update(state="sent")
    made.time = time(11)
    save_occasion(made)
    assert set(states().values()) == {"sent"}


def test_deleting_calls_off_the_jobs_that_wait(owner: User) -> None:
    made = occasion(owner)
    make_all_due()
    dispatch_due()
    delete_occasion(made)
    assert (states(), JobExecution.objects.get(kind=SEND_REMINDER).status) == ({}, "cancelled")
