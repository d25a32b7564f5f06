"""Occasions, reminders and deliveries in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from jobs.models import JobExecution
from yellowbook.reminders.dispatch import dispatch_due
from yellowbook.reminders.models import Occasion, Schedule
from yellowbook.reminders.names import SEND_REMINDER, TOO_LATE

from .support import in_days, make_all_due, occasion, states, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    """A superuser's browser."""
    client.force_login(User.objects.create_superuser("оператор"))
    return client


def form(owner: User, **changes: Any) -> dict[str, Any]:
    """Return a filled form."""
    given = {
        "owner": owner.pk,
        "title": "Наадам",
        "date": str(in_days(10)),
        "time": "09:00",
        "time_zone": "Asia/Ulaanbaatar",
        "recurrence": "none",
        "offsets": "-3,-1",
        "channels": "email",
    }
    return {**given, **changes}


def test_an_occasion_is_added_and_changed_with_its_reminders(admin: Client, owner: User) -> None:
    response = admin.post(reverse("admin:reminders_occasion_add"), form(owner))
    assert response.status_code == 302, response.context["errors"]
    assert [key[1] for key in states()] == [-3, -1]
    made = Occasion.objects.get()
    admin.post(reverse("admin:reminders_occasion_change", args=[made.pk]), form(owner, offsets="-1"))
    assert list(states().values()) == ["cancelled", "waiting"]


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars"), ("offsets", "1"), ("channels", "sms"), ("date", "1800-01-01")]
)
def test_bad_input_is_refused(admin: Client, owner: User, field: str, value: str) -> None:
    response = admin.post(reverse("admin:reminders_occasion_add"), form(owner, **{field: value}))
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not Occasion.objects.exists()


def test_occasions_are_deleted_with_their_reminders_and_jobs(admin: Client, owner: User) -> None:
    one, two = occasion(owner), occasion(owner)
    make_all_due()
    dispatch_due()
    admin.post(reverse("admin:reminders_occasion_delete", args=[one.pk]), {"post": "yes"})
    action = {"action": "delete_selected", "_selected_action": [str(two.pk)], "post": "yes"}
    admin.post(reverse("admin:reminders_occasion_changelist"), action)
    assert states() == {}
    assert set(JobExecution.objects.filter(kind=SEND_REMINDER).values_list("status", flat=True)) == {"cancelled"}


def test_reminders_and_deliveries_are_shown_and_not_edited(admin: Client, owner: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    occasion(owner)
    occasion(owner, title="Цагаан сар")
    make_all_due()
    work()
    Schedule.objects.filter(occasion__title="Цагаан сар").update(state="skipped", reason=TOO_LATE)
    admin.cookies["django_language"] = "mn"
    listed = admin.get(reverse("admin:reminders_schedule_changelist")).content.decode()
    assert "Наадам" in listed
    assert "Нэг өдрөөс илүү хоцрох байсан." in listed
    sent = Schedule.objects.get(state="sent")
    assert admin.get(reverse("admin:reminders_schedule_change", args=[sent.pk])).status_code == 200
    assert admin.get(reverse("admin:reminders_deliveryrecord_changelist")).status_code == 200
    assert admin.get(reverse("admin:reminders_deliveryrecord_change", args=[sent.delivery.pk])).status_code == 200
    for model in ("schedule", "deliveryrecord"):
        assert admin.get(reverse(f"admin:reminders_{model}_add")).status_code == 403


@pytest.mark.parametrize("model", ["occasion", "schedule", "deliveryrecord"])
def test_the_lists_cost_the_same_queries_for_any_length(
    admin: Client, owner: User, model: str, settings: Any, django_assert_max_num_queries: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for _ in range(5):
        occasion(owner, offsets=[-3, -1])
    make_all_due()
    work()
    with django_assert_max_num_queries(12):
        admin.get(reverse(f"admin:reminders_{model}_changelist"))
