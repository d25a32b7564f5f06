"""The signed webhook, against a real server."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db.models import F
from standardwebhooks import Webhook, WebhookVerificationError

from jobs.alerts.channels import webhook
from jobs.alerts.evaluate import evaluate
from jobs.alerts.models import AlertEvent
from jobs.errors import AuthError, ConfigurationError, JobError, NetworkError, RateLimited, ServerError
from jobs.models import Attempt, DeadLetter, JobExecution

from .conftest import SECRET, Gauge, Receiver
from .support import deliver_all, deliveries

pytestmark = pytest.mark.django_db


@pytest.fixture
def fired(gauge: Gauge, receiver: Receiver) -> AlertEvent:
    """An event whose delivery waits."""
    gauge.value = 11
    evaluate()
    return AlertEvent.objects.get()


def failure(event: AlertEvent) -> JobError:
    with pytest.raises(JobError) as caught:
        webhook.deliver(event)
    return caught.value


def test_it_tells_everything_signed(fired: AlertEvent, receiver: Receiver) -> None:
    assert deliver_all() == 1
    assert receiver.verified() == {
        "type": "alert.fired",
        "rule": "pressure",
        "title": "The pressure is high",
        "severity": "critical",
        "state": "firing",
        "value": 11,
        "threshold": None,
        "message": "The gauge shows 11.",
        "next_step": "Open the valve.",
        "since": fired.since.isoformat(),
        "at": fired.at.isoformat(),
    }
    (job,) = deliveries()
    assert (job.status, job.result) == ("succeeded", "delivered")
    headers, _ = receiver.requests[0]
    assert (headers["webhook-id"], headers["content-type"]) == (str(fired.pk), "application/json")


def test_a_recovery_says_so_and_since_when_it_had_been_wrong(fired: AlertEvent, gauge: Gauge, receiver) -> None:
    gauge.value = 1
    evaluate()
    deliver_all()
    told = receiver.verified()
    assert (told["type"], told["state"], told["since"]) == ("alert.recovered", "ok", fired.since.isoformat())


def test_another_key_or_another_body_does_not_verify(fired: AlertEvent, receiver: Receiver) -> None:
    webhook.deliver(fired)
    headers, body = receiver.requests[0]
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b3RoZXIh" * 5).verify(body, dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"11", b"12"), dict(headers))


def test_with_a_public_address_it_links_to_where_the_next_step_is_done(
    fired: AlertEvent, receiver, settings: Any
) -> None:
    AlertEvent.objects.update(path="/admin/jobs/lane/")
    settings.PUBLIC_URL = "https://yellowbook.example.mn/"
    deliver_all()
    assert receiver.verified()["url"] == "https://yellowbook.example.mn/admin/jobs/lane/"


def test_a_repeated_delivery_has_the_same_id_and_a_signature_of_its_own_time(fired: AlertEvent, receiver) -> None:
    receiver.answer(503)
    deliver_all()
    (job,) = deliveries()
    assert (job.status, job.error_class) == ("retrying", "server")
    JobExecution.objects.update(next_attempt_at=F("created_at"))
    deliver_all()
    assert deliveries()[0].status == "succeeded"
    assert [headers["webhook-id"] for headers, _ in receiver.requests] == [str(fired.pk)] * 2
    assert receiver.verified(0) == receiver.verified(1)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_delivery(fired: AlertEvent, receiver: Receiver, status: int) -> None:
    receiver.answer(status)
    webhook.deliver(fired)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ConfigurationError),
        (401, AuthError),
        (403, AuthError),
        (404, ConfigurationError),
        (408, ServerError),
        (409, ServerError),
        (410, ConfigurationError),
        (413, ConfigurationError),
        (422, ConfigurationError),
        (429, RateLimited),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
    ],
)
def test_other_answers_are_classified(fired: AlertEvent, receiver: Receiver, status: int, error: type) -> None:
    receiver.answer(status, body=b"no thanks, token=abcdef123456")
    found = failure(fired)
    assert (type(found), found.status_code) == (error, status)
    assert "no thanks" in found.message
    assert "abcdef123456" not in found.message


def test_a_redirect_is_not_followed(fired: AlertEvent, receiver: Receiver) -> None:
    receiver.answer(307, {"location": receiver.url})
    assert isinstance(failure(fired), ConfigurationError)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_it_is_asked_to(fired: AlertEvent, receiver: Receiver, status: int) -> None:
    receiver.answer(status, {"retry-after": "120"})
    assert failure(fired).retry_after == 120
    receiver.answer(status, {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)})
    assert 200 < failure(fired).retry_after < 400
    for nonsense in ("soon", "-5", "999999999", "Thu, 01 Jan 1970 00:00:00 GMT", ""):
        receiver.answer(status, {"retry-after": nonsense})
        assert failure(fired).retry_after in (None, webhook.LONGEST_WAIT)


def test_the_job_waits_for_what_it_was_asked_to(fired: AlertEvent, receiver: Receiver) -> None:
    receiver.answer(503, {"retry-after": "1000"})
    deliver_all()
    (job,) = deliveries()
    assert 999 < (job.next_attempt_at - Attempt.objects.get().finished_at).total_seconds() < 1400


def test_one_that_does_not_answer_in_time_is_tried_again(fired: AlertEvent, receiver: Receiver, monkeypatch) -> None:
    """However patient each single read is: there is one deadline over everything."""
    monkeypatch.setattr(webhook, "OVERALL", 0.2)
    monkeypatch.setattr(webhook, "READ", 60.0)
    receiver.answer(0)
    error = failure(fired)
    assert (type(error), error.message) == (NetworkError, "The webhook gave no answer in time.")


def test_one_that_nobody_runs_is_tried_again_and_its_address_is_told_nowhere(fired: AlertEvent, settings: Any) -> None:
    settings.ALERT_WEBHOOK_URL = "http://user:pa55word@127.0.0.1:1/hooks/T0P-SECRET-PATH"
    deliver_all()
    (job,) = deliveries()
    assert (job.status, job.error_class) == ("retrying", "network")
    for text in (job.error, Attempt.objects.get().error):
        assert "T0P-SECRET" not in text
        assert "pa55word" not in text


def test_what_will_never_be_accepted_becomes_a_dead_letter_and_pauses_nothing(
    fired: AlertEvent, receiver: Receiver, mail, gauge: Gauge, mailoutbox: list[Any]
) -> None:
    receiver.answer(401)
    deliver_all()
    assert DeadLetter.objects.get().error_class == "auth"
    gauge.value = 1
    evaluate()
    deliver_all()
    assert len(mailoutbox) == 1
    assert receiver.verified()["type"] == "alert.recovered"


@pytest.mark.parametrize("echo", [SECRET, SECRET.removeprefix("whsec_"), "Cannot POST /hooks/T0P-SECRET-PATH"])
def test_what_the_other_side_echoes_of_key_and_address_is_stored_and_logged_nowhere(
    fired: AlertEvent, receiver: Receiver, caplog, echo: str
) -> None:
    receiver.answer(500, body=f"failed: {echo}.".encode())
    deliver_all()
    (job,) = deliveries()
    assert "failed: " in job.error
    rows = [str(row) for model in (JobExecution, Attempt, DeadLetter, AlertEvent) for row in model.objects.values()]
    for text in [*rows, caplog.text]:
        assert "T0P-SECRET" not in text
        assert SECRET.removeprefix("whsec_") not in text
