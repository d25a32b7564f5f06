"""The signed webhook, against a real server."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Timer
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from jobs.models import Attempt, DeadLetter, JobExecution, Lane
from tests.concurrency import until
from tests.jobs.support import make_due
from tests.yellowbook.catalogue.fetch.support import ToLoopback
from tests.yellowbook.test_secrets import all_logs
from yellowbook.catalogue.fetch.errors import Refused
from yellowbook.notifications import policy
from yellowbook.notifications.channels import Said, webhook
from yellowbook.notifications.channels import post as posting
from yellowbook.notifications.channels.post import MOST, post
from yellowbook.notifications.hide import KEPT
from yellowbook.notifications.models import Delivery, DeliveryAttempt
from yellowbook.notifications.names import DELIVER_NOTIFICATION
from yellowbook.notifications.owners import Recipient

from .conftest import KEY, PATH, SECRET, Receiver
from .support import EVENT, PAYLOAD, again, job_of, log_of, run, run_on, tell

pytestmark = pytest.mark.django_db


def posted(url: str, **options: Any) -> Said:
    said = Said()
    post(url, b"{}", {}, said, **{"allow_private": False, **options})
    return said


def test_it_tells_what_happened_signed(receiver: Receiver) -> None:
    told = tell()
    assert run() == 1
    shown = again(told)
    assert receiver.verified() == {"type": EVENT, "timestamp": shown.occurred_at.isoformat(), "data": PAYLOAD}
    assert (shown.state, shown.attempts, shown.last_status, shown.last_error) == ("sent", 1, 204, "")
    assert shown.sent_at is not None
    assert (job_of(told).status, job_of(told).result) == ("succeeded", "delivered")
    assert log_of(told) == [(1, 204, True)]
    headers, body = receiver.requests[0]
    assert (headers["webhook-id"], headers["content-type"]) == (str(told.pk), "application/json")
    assert body.decode() == json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_another_key_or_another_body_does_not_verify(receiver: Receiver) -> None:
    tell()
    run()
    headers, body = receiver.requests[0]
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b3RoZXIh" * 5).verify(body, dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"3", b"4"), dict(headers))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_may_pass_is_tried_again_with_the_same_id_and_body(receiver: Receiver, status: int) -> None:
    told = tell()
    receiver.answer(status, body=b"later")
    run()
    shown = again(told)
    assert (shown.state, shown.attempts, shown.last_status, shown.last_answer) == ("waiting", 1, status, "later")
    assert shown.last_error == f"The receiver answered {status}."
    make_due(job_of(told))
    run()
    (first, first_body), (second, second_body) = receiver.requests
    assert first["webhook-id"] == second["webhook-id"] == str(told.pk)
    assert first_body == second_body
    receiver.verified(1)
    assert (again(told).state, again(told).last_error) == ("sent", "")
    assert log_of(told) == [(1, status, False), (2, 204, True)]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422])
def test_what_will_not_pass_is_a_dead_letter_at_once(receiver: Receiver, status: int) -> None:
    told = tell()
    receiver.answer(status, body=b"never")
    assert run_on() == 1
    shown = again(told)
    assert (shown.state, shown.last_status, shown.last_answer) == ("failed", status, "never")
    assert DeadLetter.objects.get().error_class == "invalid_input"
    assert log_of(told) == [(1, status, False)]


def test_many_refusals_in_a_row_leave_the_lane_open(receiver: Receiver) -> None:
    for _ in range(25):
        receiver.answer(410)
        tell()
    last = tell()
    run()
    assert again(last).state == "sent"
    assert Lane.objects.get(kind=DELIVER_NOTIFICATION).paused_at is None


def test_it_is_given_up_after_eight_attempts_over_about_a_day(receiver: Receiver) -> None:
    told = tell()
    pauses = []
    for _ in range(8):
        receiver.answer(500)
        run()
        job = job_of(told)
        if job.status == "retrying":
            pauses.append((job.next_attempt_at - timezone.now()).total_seconds())
            make_due(job)
    assert (job_of(told).status, again(told).state, again(told).attempts) == ("dead", "failed", 8)
    assert len(receiver.requests) == 8
    assert pauses == sorted(pauses)
    assert all(wanted - 5 <= pause <= wanted * 1.3 for wanted, pause in zip(policy.PAUSES, pauses, strict=True)), pauses
    assert 19 * 3600 <= sum(policy.PAUSES) <= 24 * 3600


def test_a_busy_receiver_is_given_the_time_it_asks_for_and_nobody_else_waits(
    receiver: Receiver, sellers: dict[str, Recipient]
) -> None:
    receiver.answer(429, {"retry-after": "5000"})
    told = tell()
    run()
    assert 4990 <= (job_of(told).next_attempt_at - timezone.now()).total_seconds() <= 5000 * 1.3
    sellers["other"] = Recipient(webhook_url=receiver.url, secret=SECRET)
    other = tell(owner="seller:other")
    run()
    assert again(other).state == "sent"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120),
        ("0", None),
        ("soon", None),
        ("-5", None),
        ("9" * 30, None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_a_time_to_wait_is_read_if_it_is_one(receiver: Receiver, told: str, seconds: float | None) -> None:
    receiver.answer(429, {"retry-after": told})
    assert post(receiver.url, b"{}", {}, Said(), allow_private=True) == seconds


def test_a_date_to_wait_for_is_read_too(receiver: Receiver) -> None:
    receiver.answer(503, {"retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=1))})
    assert 3500 < (post(receiver.url, b"{}", {}, Said(), allow_private=True) or 0) <= 3600


def test_no_receiver_can_have_us_wait_for_ever(receiver: Receiver) -> None:
    receiver.answer(429, {"retry-after": "999999999"})
    told = tell()
    run()
    waits = (job_of(told).next_attempt_at - timezone.now()).total_seconds()
    assert waits <= policy.LONGEST_PAUSE * 1.3


def test_silence_ends_at_the_deadline_and_is_tried_again(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "OVERALL", 0.2)
    receiver.answer(0)
    told = tell()
    run()
    assert (again(told).state, again(told).last_status, job_of(told).error_class) == ("waiting", None, "network")
    assert again(told).last_error == "The receiver gave no answer within 0.2 s."
    (attempt,) = told.log.all()
    assert attempt.ms >= 200


def test_an_answer_that_comes_drop_by_drop_ends_at_the_deadline_too(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "OVERALL", 0.3)
    receiver.answer(-1)
    # So that the test ends where no deadline does.
    stop = Timer(5, receiver.go_on.set)
    stop.start()
    told = tell()
    run()
    stop.cancel()
    assert again(told).last_error == "The receiver gave no answer within 0.3 s."


def test_a_server_that_is_away_is_tried_again(receiver: Receiver, sellers: dict[str, Recipient]) -> None:
    sellers["7f0c"] = Recipient(webhook_url="http://127.0.0.1:1/x", secret=SECRET)
    told = tell()
    run()
    assert (again(told).state, job_of(told).error_class) == ("waiting", "network")
    sellers["7f0c"] = Recipient(webhook_url=receiver.url, secret=SECRET)
    run_on()
    assert again(told).state == "sent", "the address is that of now, not that of then"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answer(status, {"location": f"{receiver.url}/elsewhere"})
    told = tell()
    run_on()
    assert len(receiver.requests) == 1
    assert (again(told).state, again(told).last_status) == ("failed", status)
    assert "redirects are not followed" in again(told).last_error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "10.0.0.8", "169.254.169.254"])
def test_a_private_address_is_refused(
    receiver: Receiver, sellers: dict[str, Recipient], settings: Any, host: str
) -> None:
    settings.CATALOGUE_ALLOW_PRIVATE = False
    sellers["7f0c"] = Recipient(webhook_url=f"http://{host}:8080/hook", secret=SECRET)
    told = tell()
    run_on()
    assert (again(told).state, again(told).attempts) == ("failed", 1)
    assert "no public address" in again(told).last_error
    assert not receiver.requests


def test_a_port_that_is_no_web_servers_is_refused(receiver: Receiver, settings: Any) -> None:
    settings.CATALOGUE_ALLOW_PRIVATE = False
    told = tell()
    run_on()
    assert f"Port {receiver.port} is not fetched from" in again(told).last_error
    assert not receiver.requests


@pytest.mark.parametrize("addresses", [["192.168.1.4"], ["93.184.215.14", "10.0.0.1"], ["::ffff:127.0.0.1"]])
def test_a_name_whose_dns_answers_a_private_address_is_refused(receiver: Receiver, addresses: list[str]) -> None:
    network = ToLoopback(receiver.port)

    def resolver(host: str, port: int) -> Sequence[str]:
        return addresses

    with pytest.raises(Refused):
        posted("https://shop.example.mn/hook", resolver=resolver, network=network)
    assert network.connected == []


def test_a_public_name_is_connected_to_by_the_very_address_that_was_checked(receiver: Receiver) -> None:
    network = ToLoopback(receiver.port)
    said = posted("http://shop.example.mn/hook", resolver=lambda *_: ["93.184.215.14"], network=network)
    assert said.status == 204
    assert network.connected == ["93.184.215.14"]
    assert receiver.requests[0][0]["host"] == "shop.example.mn"


def test_of_a_huge_answer_the_beginning_is_read_and_a_line_kept(receiver: Receiver) -> None:
    receiver.answer(500, body=b"x" * 50_000_000)
    told = tell()
    run()
    assert again(told).last_answer == "x" * KEPT
    assert until(lambda: receiver.broken_off == 1, "the end of the answer")
    receiver.answer(200, body=b"y" * 1_000_000)
    assert len(posted(receiver.url, allow_private=True).answer) == MOST


def test_an_answer_that_breaks_off_counts_by_its_status(receiver: Receiver) -> None:
    receiver.answer(200, {"content-length": "1000"}, b"fine")
    told = tell()
    run()
    assert (again(told).state, again(told).last_answer) == ("sent", "fine")


def test_an_answer_that_is_no_text_is_kept_as_far_as_it_is(receiver: Receiver) -> None:
    receiver.answer(500, body=b"a\x00b\xff\xfe")
    told = tell()
    run()
    assert again(told).last_answer.startswith("ab")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ö", "whsec_a"])
def test_a_secret_that_is_no_key_sends_nothing(receiver: Receiver, sellers: dict[str, Recipient], secret: str) -> None:
    sellers["7f0c"] = Recipient(webhook_url=receiver.url, secret=secret)
    told = tell()
    run_on()
    assert (again(told).state, receiver.requests) == ("failed", [])
    assert "signs nothing" in again(told).last_error


ECHO = f"key={KEY} secret {SECRET} at {PATH} and {PATH.strip('/')}?sig=0123456789abc".encode()


def test_no_secret_is_stored_or_logged_whatever_the_receiver_echoes(
    receiver: Receiver, sellers: dict[str, Recipient]
) -> None:
    sellers["7f0c"] = Recipient(webhook_url=f"{receiver.url}?sig=0123456789abc", secret=SECRET)
    for status in (500, 400):
        receiver.answer(status, body=ECHO)
    with all_logs() as streams:
        told = tell()
        run_on()
    assert again(told).last_answer.startswith("key=[secret]")
    _nothing_tells("".join(stream.getvalue() for stream in streams))


def test_no_secret_is_stored_or_logged_when_our_own_code_breaks(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError(f"{SECRET} {receiver.url}")

    monkeypatch.setattr(webhook, "post", broken)
    logging.getLogger().setLevel(logging.DEBUG)
    with all_logs() as streams:
        told = tell()
        run()
    assert "ValueError at " in again(told).last_error
    assert "test_webhook.py" in again(told).last_error
    assert again(told).state == "waiting"
    _nothing_tells("".join(stream.getvalue() for stream in streams))


def _nothing_tells(logged: str) -> None:
    """Check that neither the log nor any row holds the seller's secret, or the secret part of the address."""
    models = (Delivery, DeliveryAttempt, JobExecution, Attempt, DeadLetter, Lane)
    kept = json.dumps([list(model._default_manager.values()) for model in models], default=str)
    for secret in (KEY, SECRET, "T0P-SECRET-PATH", "0123456789abc"):
        assert secret not in kept
        assert secret not in logged
    assert "job_failed" in logged


def test_a_recipient_shows_no_secret() -> None:
    assert SECRET not in repr(Recipient(webhook_url=f"https://h{PATH}", secret=SECRET))
    assert PATH not in repr(Recipient(webhook_url=f"https://h{PATH}", secret=SECRET))


def test_a_delivery_that_is_not_kept_any_more_is_a_dead_letter(receiver: Receiver) -> None:
    tell()
    Delivery.objects.all().delete()
    run_on()
    assert DeadLetter.objects.get().error_class == "not_found"
