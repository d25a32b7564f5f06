"""E-mail, by a real mail server."""

import smtplib
from typing import Any

import pytest

from jobs.errors import AuthError, ConfigurationError, NetworkError, ServerError
from jobs.models import DeadLetter, Lane
from tests.jobs.support import make_due
from yellowbook import email_url
from yellowbook.notifications.channels import Said, email
from yellowbook.notifications.errors import Rejected
from yellowbook.notifications.names import DELIVER_NOTIFICATION
from yellowbook.notifications.owners import Recipient

from .conftest import Post
from .support import again, job_of, log_of, run, run_on, tell

pytestmark = pytest.mark.django_db


def test_the_owner_gets_one_letter(post: Post) -> None:
    told = tell()
    run_on()
    (letter,) = post.letters
    assert (letter["to"], letter["from"], letter["subject"]) == ("bold@example.mn", "book@example.mn", "Approved")
    assert letter["message-id"] == f"<{told.pk}@yellowbook.invalid>"
    assert letter.get_content().strip() == "Сайн байна уу"
    assert (again(told).state, log_of(told)) == ("sent", [(1, None, True)])


def test_a_mail_server_that_was_away_gets_the_letter_once_it_is_back(post: Post, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    told = tell()
    run()
    assert (again(told).state, job_of(told).error_class) == ("waiting", "network")
    settings.EMAIL_PORT = post.port
    make_due(job_of(told))
    run()
    assert (again(told).state, again(told).attempts) == ("sent", 2)
    assert [letter["message-id"] for letter in post.letters] == [f"<{told.pk}@yellowbook.invalid>"]


def test_a_reader_who_is_refused_for_good_is_a_dead_letter(post: Post) -> None:
    post.says["RCPT"] = "550 no such user"
    told = tell()
    assert run_on() == 1
    shown = again(told)
    assert (shown.state, shown.last_status, shown.last_answer) == ("failed", 550, "no such user")
    assert shown.last_error == "The mail server refuses the reader with 550."
    assert DeadLetter.objects.count() == 1


def test_a_reader_who_is_refused_for_now_is_tried_again(post: Post) -> None:
    post.says["RCPT"] = "450 mailbox busy"
    told = tell()
    run()
    assert (again(told).state, again(told).last_status) == ("waiting", 450)
    post.says.clear()
    run_on()
    assert again(told).state == "sent"


def test_a_letter_that_is_refused_is_not_sent_twice(post: Post) -> None:
    post.says["LETTER"] = "554 this is spam"
    told = tell()
    assert run_on() == 1
    assert (again(told).state, again(told).last_status) == ("failed", 554)


def test_trouble_with_our_own_mail_server_loses_nothing_and_pauses_nothing(post: Post) -> None:
    post.says["MAIL"] = "550 who are you"
    told = tell()
    run()
    assert (again(told).state, job_of(told).error_class) == ("waiting", "configuration")
    assert Lane.objects.get(kind=DELIVER_NOTIFICATION).paused_at is None
    post.says.clear()
    run_on()
    assert again(told).state == "sent"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 no"), AuthError),
        (smtplib.SMTPSenderRefused(550, b"who are you", "a@b.mn"), ConfigurationError),
        (smtplib.SMTPSenderRefused(451, b"later", "a@b.mn"), ServerError),
        (smtplib.SMTPDataError(451, b"later"), ServerError),
        (smtplib.SMTPDataError(554, b"never"), Rejected),
        (smtplib.SMTPRecipientsRefused({"a@b.mn": (450, b"busy")}), ServerError),
        (smtplib.SMTPRecipientsRefused({"a@b.mn": (550, b"no")}), Rejected),
        (smtplib.SMTPNotSupportedError("STARTTLS"), ConfigurationError),
        (smtplib.SMTPServerDisconnected("gone"), NetworkError),
        (smtplib.SMTPConnectError(421, b"too many"), ServerError),
        (ConnectionRefusedError(111, "refused"), NetworkError),
        (TimeoutError("slow"), NetworkError),
    ],
)
def test_what_a_mail_server_says_decides_whether_it_is_tried_again(error: Exception, kind: type) -> None:
    assert type(email.classified(error, Said())) is kind


@pytest.mark.parametrize("address", ["bold@example.mn\nBcc: evil@example.mn", "a\r\nb"])
def test_an_address_can_not_add_a_header(post: Post, sellers: dict[str, Recipient], address: str) -> None:
    sellers["7f0c"] = Recipient(email=address)
    told = tell()
    run_on()
    assert again(told).state == "failed"
    assert post.letters == []


def test_a_subject_can_not_add_a_header(post: Post) -> None:
    tell(subject="a\r\nBcc: evil@example.mn")
    run()
    assert post.letters[0]["subject"] == "a Bcc: evil@example.mn"
    assert post.letters[0]["bcc"] is None


def test_without_a_mail_server_nobody_is_written_to(post: Post, settings: Any) -> None:
    told = tell()
    settings.EMAIL_BACKEND = email_url.OFF["EMAIL_BACKEND"]
    run_on()
    assert (again(told).state, job_of(told).result) == ("failed", "switched off")
    assert "switched off" in again(told).last_error
    assert not DeadLetter.objects.exists()
