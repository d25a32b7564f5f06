"""What is deleted when it is old, what is looked for every night, and a dead letter that a person retries."""

import pytest
from django.contrib.auth.models import User
from django.db.models import F

from jobs.actor import Actor
from jobs.lifecycle import cancel, retry
from jobs.models import JobExecution
from jobs.states import Source
from jobs.upkeep.audit import invariants
from tests.jobs.support import long_ago
from yellowbook.reminders.dispatch import dispatch_due
from yellowbook.reminders.models import DeliveryRecord, Occasion, Schedule
from yellowbook.reminders.names import CALLED_OFF, SEND_REMINDER
from yellowbook.reminders.retention import delete_reminders

from .conftest import PushService, subscribed
from .support import in_days, make_all_due, occasion, states, work

pytestmark = pytest.mark.django_db


def test_reminders_that_are_long_over_are_deleted_and_what_is_pending_is_not() -> None:
    owner = User.objects.create_user("бат")
    occasion(owner, offsets=[-3, -2, -1])
    Schedule.objects.update(occurrence=in_days(-40), due_at=long_ago(40 * 86_400))
    Schedule.objects.filter(offset=-3).update(state="sent")
    Schedule.objects.filter(offset=-2).update(state="sent", occurrence=in_days(-1))
    assert delete_reminders(30 * 86_400, 100) == 1
    assert sorted(Schedule.objects.values_list("offset", flat=True)) == [-2, -1]
    assert Occasion.objects.count() == 1


def test_the_audit_finds_a_reminder_that_nobody_will_send_and_settles_it(owner: User) -> None:
    (invariant,) = [each for each in invariants() if each.name == "queued_reminders_have_job"]
    occasion(owner)
    make_all_due(700)
    dispatch_due()
    assert invariant.find(10).count == 0
    cancel(JobExecution.objects.get(kind=SEND_REMINDER).pk, by="оператор")
    assert invariant.find(10).count == 1
    assert invariant.repair is not None
    assert invariant.repair() == 1
    assert (invariant.find(10).count, Schedule.objects.get().reason) == (0, CALLED_OFF)


def test_a_dead_letter_that_is_retried_sends_the_reminder(owner: User, push_service: PushService) -> None:
    subscribed(owner, push_service, "phone")
    push_service.answers["phone"] = [400]
    occasion(owner, channels=["push"])
    make_all_due()
    work()
    assert set(states().values()) == {"failed"}
    retry(JobExecution.objects.get(kind=SEND_REMINDER).pk, actor=Actor("оператор", Source.ADMIN))
    JobExecution.objects.update(next_attempt_at=F("created_at"))
    work()
    assert set(states().values()) == {"sent"}
    assert list(DeliveryRecord.objects.values_list("outcome", "attempts")) == [("sent", 2)]
