"""Having somebody told: in the transaction of the event, once, and kept for a while."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.db.models import F

from jobs.actor import Actor
from jobs.enqueue import enqueue
from jobs.execute import run_lane
from jobs.lifecycle import cancel
from jobs.models import JobExecution
from jobs.upkeep import pruners
from jobs.upkeep.audit import invariants
from jobs.upkeep.pruners import prune
from tests.concurrency import at_once
from yellowbook.notifications import deliver as delivering
from yellowbook.notifications import retention
from yellowbook.notifications.models import Delivery, DeliveryAttempt
from yellowbook.notifications.names import DELIVER_NOTIFICATION
from yellowbook.notifications.owners import Recipient, UnknownOwner, register_owner
from yellowbook.notifications.services import notify, replay

from .conftest import SECRET, SELLER, Post, Receiver
from .support import EVENT, again, job_of, log_of, run, run_on, tell

pytestmark = pytest.mark.django_db

OPERATOR = Actor("операторч", "admin")


def told_by(made: list[Delivery]) -> list[str]:
    return [each.channel for each in made]


def test_each_channel_that_reaches_the_owner_has_a_delivery_and_a_job(
    receiver: Receiver, post: Post, sellers: dict[str, Recipient]
) -> None:
    sellers["7f0c"] = Recipient(webhook_url=receiver.url, secret=SECRET, email="bold@example.mn")
    made = notify(EVENT, {}, owner=SELLER, subject="s", body="b")
    assert told_by(made) == ["webhook", "email"]
    jobs = {job.subject: job for job in JobExecution.objects.filter(kind=DELIVER_NOTIFICATION)}
    assert set(jobs) == {str(each.pk) for each in made}
    assert {job.max_retries for job in jobs.values()} == {7}
    receiver.answer(500)
    run()
    assert [again(each).state for each in made] == ["waiting", "sent"], "one channel's trouble is not the other's"


def test_who_can_not_be_reached_is_not_told(sellers: dict[str, Recipient]) -> None:
    assert notify(EVENT, {}, owner=SELLER) == []
    assert notify(EVENT, {}, owner="seller:gone") == []
    assert not JobExecution.objects.filter(kind=DELIVER_NOTIFICATION).exists()


def test_channels_may_be_chosen(receiver: Receiver) -> None:
    assert told_by(notify(EVENT, {}, owner=SELLER, channels=["email"])) == ["email"]
    with pytest.raises(ValueError, match="pigeon"):
        notify(EVENT, {}, owner=SELLER, channels=["pigeon"])


def test_an_event_that_is_rolled_back_tells_nobody(receiver: Receiver) -> None:
    with transaction.atomic():
        tell()
        transaction.set_rollback(True)
    assert run() == 0
    assert (Delivery.objects.count(), receiver.requests) == (0, [])


def test_an_unknown_kind_of_owner_is_a_mistake_that_says_so(sellers: dict[str, Recipient]) -> None:
    with pytest.raises(UnknownOwner, match="'buyer': this installation knows seller"):
        notify(EVENT, {}, owner="buyer:1")
    with pytest.raises(ValueError, match="already looked up"):
        register_owner("seller", lambda _: None)


def test_texts_from_outside_can_not_break_the_event(receiver: Receiver) -> None:
    told = tell(payload={"na\x00me": ["\ud800x\x00", {"deep": "\x00"}]}, subject="a\x00", body="\udfff")
    run()
    assert again(told).state == "sent"
    assert receiver.verified()["data"] == {"name": ["?x", {"deep": ""}]}


def test_ids_times_and_amounts_may_be_told(receiver: Receiver) -> None:
    an_id = UUID("00000000-0000-4000-8000-000000000000")
    tell(payload={"id": an_id, "price": Decimal("1.50")})
    run()
    assert receiver.verified()["data"] == {"id": str(an_id), "price": "1.50"}
    with pytest.raises(TypeError):
        tell(payload={"what": object()})


def test_an_owner_who_is_gone_is_a_dead_letter(receiver: Receiver, sellers: dict[str, Recipient]) -> None:
    told = tell()
    del sellers["7f0c"]
    run_on()
    assert (again(told).state, job_of(told).error_class) == ("failed", "not_found")


def test_an_owner_who_switched_the_channel_off_is_left_alone(receiver: Receiver, sellers: dict[str, Recipient]) -> None:
    told = tell()
    sellers["7f0c"] = Recipient()
    run_on()
    assert (again(told).state, job_of(told).status, job_of(told).result) == ("failed", "succeeded", "switched off")
    assert not receiver.requests


def test_what_was_delivered_is_not_delivered_twice(receiver: Receiver) -> None:
    told = tell()
    run()
    enqueue(DELIVER_NOTIFICATION, subject=told.pk)
    run()
    assert len(receiver.requests) == 1
    assert log_of(told) == [(1, 204, True)]
    results = JobExecution.objects.filter(subject=str(told.pk)).values_list("result", flat=True)
    assert set(results) == {"delivered", "delivered before"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_deliver_once(receiver: Receiver) -> None:
    told = tell()
    results = at_once(*[lambda: run_lane(DELIVER_NOTIFICATION)] * 2)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert len(receiver.requests) == 1
    assert (again(told).state, log_of(told)) == ("sent", [(1, 204, True)])


def test_a_worker_whose_lease_is_gone_writes_nothing_down(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tell()
    send = delivering._send

    def overtaken(*args: Any) -> None:
        send(*args)
        JobExecution.objects.update(status="queued", lease_id=None)

    monkeypatch.setattr(delivering, "_send", overtaken)
    run_lane(DELIVER_NOTIFICATION)
    assert (again(told).state, again(told).attempts, log_of(told)) == ("waiting", 0, [])


def test_a_repetition_is_a_delivery_of_its_own_that_names_the_first(receiver: Receiver) -> None:
    told = tell()
    run()
    repeated = replay(again(told), actor=OPERATOR)
    run()
    assert repeated.pk != told.pk
    assert (again(repeated).repeats_id, again(repeated).state) == (told.pk, "sent")
    assert receiver.verified(0) == receiver.verified(1), "the event, and its time, are the same"
    assert [headers["webhook-id"] for headers, _ in receiver.requests] == [str(told.pk), str(repeated.pk)]
    assert job_of(repeated).metadata["triggered_by"] == "операторч"


def _age(days: float, **which: Any) -> None:
    Delivery.objects.filter(**which).update(created_at=F("created_at") - timedelta(days=days))


def test_old_deliveries_go_with_their_attempts_and_those_that_wait_stay(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pruners._pruners["deliveries"].delete is retention.delete_deliveries
    settings.RETENTION_DELIVERIES_DAYS = 30
    sent, fresh = tell(), tell()
    run()
    waiting = tell()
    repeated = replay(again(sent), actor=OPERATOR)
    _age(31, pk__in=[sent.pk, waiting.pk])
    assert prune()["deliveries"] == 1
    assert set(Delivery.objects.values_list("pk", flat=True)) == {fresh.pk, waiting.pk, repeated.pk}
    assert set(DeliveryAttempt.objects.values_list("delivery", flat=True)) == {fresh.pk}
    settings.RETENTION_DELIVERIES_DAYS = 0
    _age(10_000, pk=fresh.pk)
    assert "deliveries" not in prune()


def test_a_delivery_whose_job_was_called_off_is_found_and_settled(receiver: Receiver) -> None:
    (invariant,) = [each for each in invariants() if each.name == "waiting_deliveries_have_job"]
    told, waits = tell(), tell()
    assert invariant.find(10).count == 0
    cancel(job_of(told).pk, by="операторч")
    assert invariant.find(10).examples == [str(told.pk)]
    assert invariant.repair is not None
    assert invariant.repair() == 1
    assert (again(told).state, again(waits).state) == ("failed", "waiting")
    assert invariant.find(10).count == 0


def test_a_job_on_nothing_is_a_dead_letter(sellers: dict[str, Recipient]) -> None:
    enqueue(DELIVER_NOTIFICATION, subject=uuid4())
    run_on()
    assert JobExecution.objects.get(kind=DELIVER_NOTIFICATION).status == "dead"
