"""Sending what is due, over real servers: once, whatever fails on the way."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs.enqueue import enqueue
from jobs.models import DeadLetter, JobExecution
from tests.jobs.support import make_due
from tests.yellowbook.notifications.conftest import Post
from yellowbook import email_url
from yellowbook.reminders.models import DeliveryRecord, Occasion, PushSubscription, Schedule
from yellowbook.reminders.names import NO_ADDRESS, NO_BROWSER, NOT_SET_UP, SEND_REMINDER, TOO_LATE
from yellowbook.reminders.services import save_occasion

from .conftest import PushService, subscribed
from .support import make_all_due, occasion, work, work_on

pytestmark = pytest.mark.django_db


def only() -> Schedule:
    """Return the one reminder that there is."""
    return Schedule.objects.get()


def test_a_letter_says_what_is_when_and_where(owner: User, post: Post) -> None:
    occasion(owner)
    make_all_due()
    work()
    (letter,) = post.letters
    assert (letter["to"], letter["subject"]) == ("saraa@example.mn", "Наадам: tomorrow")
    assert "09:00 (Asia/Ulaanbaatar)" in letter.get_content()
    record = DeliveryRecord.objects.get()
    assert (only().state, record.outcome, record.attempts, record.sent_at is not None) == ("sent", "sent", 1, True)


def test_a_push_message_is_signed_by_us_and_read_by_each_browser_alone(owner: User, push_service: PushService) -> None:
    phone, laptop = (subscribed(owner, push_service, name) for name in ("phone", "laptop"))
    occasion(owner, channels=["push"])
    make_all_due()
    work()
    bodies = {name: body for name, _, body in push_service.taken}
    for browser, name in ((phone, "phone"), (laptop, "laptop")):
        told = browser.read(bodies[name])
        assert (told["title"], told["tag"]) == ("Наадам: tomorrow", str(only().pk))
    assert only().state == "sent"


def test_nothing_is_sent_before_its_time_and_nothing_twice(owner: User, post: Post) -> None:
    occasion(owner)
    work()
    assert (post.letters, only().state) == ([], "waiting")
    make_all_due()
    for _ in range(3):
        work()
    assert len(post.letters) == 1


def test_with_the_mail_server_down_it_is_delayed_and_sent_once_it_is_back(
    owner: User, post: Post, settings: Any
) -> None:
    settings.EMAIL_PORT = 1
    occasion(owner)
    make_all_due()
    work()
    assert (only().state, DeliveryRecord.objects.get().outcome) == ("delayed", "delayed")
    assert "not reached" in only().reason
    settings.EMAIL_PORT = post.port
    make_due(*JobExecution.objects.filter(kind=SEND_REMINDER))
    work()
    record = DeliveryRecord.objects.get()
    assert (only().state, only().reason, record.outcome, record.attempts) == ("sent", "", "sent", 2)
    assert len(post.letters) == 1


def test_a_browser_that_has_it_is_left_alone_when_another_is_tried(owner: User, push_service: PushService) -> None:
    for name in ("phone", "laptop"):
        subscribed(owner, push_service, name)
    push_service.answers["laptop"] = [503, 429]
    occasion(owner, channels=["push"])
    make_all_due()
    work()
    assert only().state == "delayed"
    work_on()
    assert sorted(name for name, _, _ in push_service.taken) == ["laptop", "phone"]
    record = DeliveryRecord.objects.get()
    assert (only().state, record.attempts, len(record.reached)) == ("sent", 3, 2)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(owner: User, push_service: PushService, status: int) -> None:
    for name in ("phone", "old"):
        subscribed(owner, push_service, name)
    push_service.answers["old"] = [status]
    occasion(owner, channels=["push"])
    make_all_due()
    work()
    assert [each.endpoint for each in PushSubscription.objects.all()] == [push_service.endpoint("phone")]
    assert only().state == "sent"


def test_a_refusal_for_good_fails_and_says_so(owner: User, push_service: PushService) -> None:
    subscribed(owner, push_service, "phone")
    push_service.answers["phone"] = [413]
    occasion(owner, channels=["push"])
    make_all_due()
    work_on()
    assert (only().state, only().reason) == ("failed", "The receiver answered 413.")
    assert (DeliveryRecord.objects.get().outcome, DeadLetter.objects.count()) == ("failed", 1)


def test_a_key_that_is_refused_is_tried_again(owner: User, push_service: PushService) -> None:
    subscribed(owner, push_service, "phone")
    push_service.answers["phone"] = [403]
    occasion(owner, channels=["push"])
    make_all_due()
    work()
    assert (only().state, JobExecution.objects.get(kind=SEND_REMINDER).error_class) == ("delayed", "auth")
    work_on()
    assert only().state == "sent"


@pytest.mark.parametrize(("hours", "state"), [(23, "sent"), (25, "skipped")])
def test_what_is_more_than_a_day_late_is_skipped_and_says_so(owner: User, post: Post, hours: float, state: str) -> None:
    occasion(owner)
    make_all_due(hours * 3600)
    work()
    assert (only().state, only().reason) == (state, TOO_LATE if state == "skipped" else "")
    assert len(post.letters) == (state == "sent")


def test_what_becomes_too_late_while_it_is_delayed_is_skipped(owner: User, post: Post, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    occasion(owner)
    make_all_due()
    work()
    Schedule.objects.update(due_at="2020-01-01T00:00:00Z")
    work_on()
    assert (only().state, only().reason, DeadLetter.objects.count()) == ("skipped", TOO_LATE, 0)


def test_who_has_no_address_or_browser_is_skipped_and_told_why(owner: User, post: Post, settings: Any) -> None:
    owner.email = ""
    owner.save()
    occasion(owner, channels=["email", "push"])
    settings.REMINDERS_VAPID_PRIVATE_KEY = "set"
    make_all_due()
    work()
    assert dict(Schedule.objects.values_list("channel", "reason")) == {"email": NO_ADDRESS, "push": NO_BROWSER}
    assert set(Schedule.objects.values_list("state", flat=True)) == {"skipped"}
    assert not DeadLetter.objects.exists()


def test_channels_that_are_not_set_up_say_so(owner: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = email_url.OFF["EMAIL_BACKEND"]
    settings.REMINDERS_VAPID_PRIVATE_KEY = ""
    occasion(owner, channels=["email", "push"])
    make_all_due()
    work()
    assert set(Schedule.objects.values_list("state", "reason")) == {("skipped", NOT_SET_UP)}


def test_an_occasion_that_is_deleted_after_its_job_was_made_is_not_reminded_of(owner: User, post: Post) -> None:
    made = occasion(owner)
    Schedule.objects.update(state="queued")
    enqueue(SEND_REMINDER, subject=only().pk)
    Occasion.objects.filter(pk=made.pk).delete()
    work()
    job = JobExecution.objects.get(kind=SEND_REMINDER)
    assert (post.letters, job.status, job.result) == ([], "succeeded", "not wanted any more")


def test_an_edit_while_it_is_delayed_reschedules_it(owner: User, post: Post, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    made = occasion(owner)
    make_all_due()
    work()
    save_occasion(made)
    assert (only().state, JobExecution.objects.get(kind=SEND_REMINDER).status) == ("waiting", "cancelled")
    settings.EMAIL_PORT = post.port
    make_all_due()
    work()
    assert (len(post.letters), only().state) == (1, "sent")
