"""RabbitMQ as the broker: nobody who saves waits for it, and it may lose everything."""

from typing import Any, cast

import pytest
from dramatiq.errors import ConnectionClosed

from jobs import health, outage, startup
from jobs import wake as wake_module
from jobs.alerts.alert_rules import rabbitmq as alert
from jobs.broker.base import make_broker
from jobs.broker.errands import Errands
from jobs.broker.rabbitmq import WakeBroker
from jobs.kinds import Kind
from jobs.upkeep.doctor import rabbitmq as doctor
from jobs.wake import _broker, wake
from tests.concurrency import until
from tests.rabbitmq import RabbitMQ, needs_rabbitmq

pytestmark = [needs_rabbitmq, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]


@pytest.fixture(autouse=True)
def _own_errands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test have a thread of its own, which goes when there is nothing to do."""
    act, rest = wake_module._errands._act, wake_module._errands._rest
    monkeypatch.setattr(wake_module, "_errands", Errands(act, rest=rest, idle=0.2))


@pytest.fixture
def other(rabbitmq: RabbitMQ) -> Any:
    """Somebody else's connection."""
    broker: Any = make_broker(timeout=5)
    yield broker
    broker.close()


def sending() -> WakeBroker:
    """Return this process's sending side."""
    return cast(WakeBroker, _broker())


def waiting(broker: WakeBroker, kind: Kind) -> int:
    """Count the messages that wait; none where there is no queue."""
    try:
        return broker.waiting_messages(kind.name)
    except ConnectionClosed:
        return 0


def test_a_wake_up_arrives_though_the_caller_never_connects(kind: Kind, other: Any) -> None:
    assert wake(kind.name)
    until(lambda: waiting(other, kind) == 1, "the message waits")
    assert not hasattr(sending().state, "connection")


def test_the_thread_hangs_up_when_it_has_nothing_to_do(kind: Kind, other: Any) -> None:
    wake(kind.name)
    until(lambda: waiting(other, kind) == 1, "the message waits")
    until(lambda: not sending().connections, "it hung up")
    until(lambda: wake_module._errands._thread is None, "it is gone")


def test_a_deleted_queue_is_made_again_by_the_next_wake_up(kind: Kind, other: Any) -> None:
    wake(kind.name)
    until(lambda: waiting(other, kind) == 1, "the message waits")
    other.channel.queue_delete(kind.name)
    wake(kind.name)
    until(lambda: waiting(other, kind) == 1, "the message waits")


def test_a_frozen_server_holds_nobody_up_and_gets_the_message_when_it_goes_on(kind: Kind, rabbitmq, other) -> None:
    rabbitmq.freeze()
    try:
        assert wake(kind.name)
    finally:
        rabbitmq.thaw()
    until(lambda: waiting(other, kind) == 1, "the message waits")


def test_an_outage_is_told_once_with_its_end_and_leaves_nobody_waiting(kind: Kind, rabbitmq, caplog) -> None:
    rabbitmq.kill()
    assert wake(kind.name)
    until(lambda: wake_module._breaker.resting, "the failure was noted")
    assert not wake(kind.name)
    wake_module._breaker.closed_until = 0.0
    wake(kind.name)
    until(lambda: wake_module._breaker.resting, "the second failure was noted")
    assert caplog.text.count("rabbitmq_away") == 1

    rabbitmq.start()
    wake_module._breaker.closed_until = 0.0
    wake(kind.name)
    until(lambda: not outage.rabbitmq.lasts, "the end was noted")
    until(lambda: caplog.text.count("rabbitmq_back") == 1, "the end was told")


def test_a_worker_s_end_reports_a_lost_connection_in_dramatiqs_way(kind: Kind, rabbitmq, other) -> None:
    consumer = other.consume(kind.name, prefetch=1, timeout=100)
    assert next(consumer) is None
    rabbitmq.kill()
    with pytest.raises(ConnectionClosed):
        until(lambda: next(consumer), "never a message")
    with pytest.raises(ConnectionClosed):
        other.consume(kind.name, prefetch=1, timeout=100)


def test_a_consumer_keeps_one_connection(kind: Kind, other: Any) -> None:
    consumer = other.consume(kind.name)
    assert not other.connections
    consumer.close()


@pytest.mark.django_db(transaction=True)
def test_whoever_looks_is_told_that_it_is_away(rabbitmq, settings: Any) -> None:
    def looked() -> list[bool]:
        said: list[str] = []
        startup._check_rabbitmq(said.append)
        return [
            "rabbitmq" not in health.check().degraded,
            doctor._server().state == "ok",
            not alert.rabbitmq_away(0).firing,
            not said,
        ]

    assert looked() == [True] * 4
    rabbitmq.kill()
    assert looked() == [False] * 4
    settings.BROKER_URL = ""
    assert "rabbitmq" not in health.check().parts
