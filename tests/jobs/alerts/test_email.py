"""Email."""

import smtplib
from typing import Any

import pytest
from django.core import mail as django_mail

from jobs.alerts.channels import email
from jobs.alerts.evaluate import evaluate
from jobs.alerts.message import subject_line
from jobs.alerts.models import AlertEvent
from jobs.errors import AuthError, ConfigurationError, NetworkError, ServerError
from jobs.models import DeadLetter

from .conftest import Gauge
from .support import deliver_all, deliveries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail")]


def fire(gauge: Gauge) -> Any:
    gauge.value = 11
    evaluate()
    deliver_all()
    return django_mail.outbox[-1] if django_mail.outbox else None


def test_all_readers_get_one_letter_that_says_what_is_wrong_and_what_to_do(gauge: Gauge, settings: Any) -> None:
    settings.PUBLIC_URL = "https://yellowbook.example.mn"
    letter = fire(gauge)
    assert letter.to == ["on-call@example.mn", "boss@example.mn"]
    assert letter.subject == "[Yellow Book] Alert!: The pressure is high"
    assert "The gauge shows 11." in letter.body
    assert "What to do: Open the valve." in letter.body
    assert letter.extra_headers["Message-ID"] == f"<{AlertEvent.objects.get().pk}@yellowbook.invalid>"


def test_a_recovery_says_from_when_to_when(gauge: Gauge) -> None:
    fire(gauge)
    gauge.value = 1
    evaluate()
    deliver_all()
    letter = django_mail.outbox[-1]
    event = AlertEvent.objects.get(kind="recovered")
    assert letter.subject == "[Yellow Book] Recovered: The pressure is high"
    assert f"Began:    {event.since:%Y-%m-%d %H:%M:%S} UTC" in letter.body
    assert f"Ended:    {event.at:%Y-%m-%d %H:%M:%S} UTC" in letter.body
    assert "What to do" not in letter.body


def test_a_title_can_not_add_a_header(gauge: Gauge) -> None:
    event = AlertEvent(rule="x", kind="fired", title="a\r\nBcc: evil@example.mn", severity="warning")
    assert subject_line(event) == "[Yellow Book] Alert: a Bcc: evil@example.mn"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 no"), AuthError),
        (smtplib.SMTPSenderRefused(550, b"who are you", "a@b.mn"), ConfigurationError),
        (smtplib.SMTPDataError(451, b"later"), ServerError),
        (smtplib.SMTPDataError(554, b"never"), ConfigurationError),
        (smtplib.SMTPRecipientsRefused({"a@b.mn": (450, b"busy")}), ServerError),
        (smtplib.SMTPRecipientsRefused({"a@b.mn": (450, b"busy"), "c@d.mn": (550, b"no")}), ConfigurationError),
        (smtplib.SMTPNotSupportedError("STARTTLS"), ConfigurationError),
        (smtplib.SMTPServerDisconnected("gone"), NetworkError),
        (smtplib.SMTPConnectError(421, b"too many"), ServerError),
        (ConnectionRefusedError(111, "refused"), NetworkError),
        (TimeoutError("slow"), NetworkError),
    ],
)
def test_what_a_mail_server_says_decides_whether_it_is_tried_again(error: Exception, kind: type) -> None:
    assert type(email.classified(error)) is kind


def test_a_mail_server_that_is_away_is_tried_again_and_holds_nobody_up(
    gauge: Gauge, receiver, settings: Any, mailoutbox
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 1, "hunter22"
    fire(gauge)
    by_email, by_webhook = deliveries()
    assert (by_email.status, by_email.error_class) == ("retrying", "network")
    assert "hunter22" not in by_email.error
    assert by_webhook.status == "succeeded"
    assert len(receiver.requests) == 1


def test_a_defect_of_a_channel_is_retried_like_any_other(gauge: Gauge, receiver, monkeypatch) -> None:
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda self: 1 / 0)
    fire(gauge)
    by_email, by_webhook = deliveries()
    assert (by_email.status, by_email.error_class) == ("retrying", "server")
    assert by_webhook.status == "succeeded"
    assert not DeadLetter.objects.exists()
