"""What this project asks of a broker, of each of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from jobs.broker.base import WakeBroker, broker_class, make_broker
from jobs.kinds import Kind
from jobs.wake import ACTOR
from tests.concurrency import until
from tests.rabbitmq import needs_rabbitmq

# pika leaves some sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

#: Nobody listens there.
NOWHERE = {"redis": "redis://127.0.0.1:1/0", "rabbitmq": "amqp://127.0.0.1:1/"}


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=needs_rabbitmq)])
def name(request: pytest.FixtureRequest) -> str:
    """Each broker in turn, in use."""
    if request.param != "redis":
        request.getfixturevalue(request.param)
    return str(request.param)


@pytest.fixture
def broker(name: str) -> Iterator[Any]:
    """One end of it, for sending and fetching."""
    broker: Any = make_broker(timeout=5)
    yield broker
    broker.close()


@pytest.fixture
def consumer(broker: Any, kind: Kind) -> Iterator[Any]:
    """A worker's end of the lane."""
    broker.declare_queue(kind.name)
    consumer = broker.consume(kind.name, prefetch=4, timeout=1000)
    yield consumer
    consumer.close()


def message(kind: Kind) -> Message[None]:
    return Message(queue_name=kind.name, actor_name=ACTOR, args=(kind.name,), kwargs={}, options={})


def test_one_message_waits_however_often_it_is_asked_for(broker: Any, kind: Kind) -> None:
    for _ in range(3):
        broker.enqueue_once(message(kind))
    until(lambda: broker.waiting_messages(kind.name) == 1, "the message waits")


def test_what_is_asked_for_after_the_fetch_comes_too(broker: Any, kind: Kind, consumer: Any) -> None:
    broker.enqueue_once(message(kind))
    first = until(lambda: next(consumer), "a message")
    broker.enqueue_once(message(kind))
    second = until(lambda: next(consumer), "another message")
    assert [each.args for each in (first, second)] == [(kind.name,), (kind.name,)]
    assert first.message_id != second.message_id
    for each in (first, second):
        consumer.ack(each)


def test_a_consumer_without_a_message_comes_back_with_nothing(consumer: Any) -> None:
    assert next(consumer) is None


def test_messages_are_not_delayed(broker: Any, kind: Kind) -> None:
    with pytest.raises(ValueError, match="next_attempt_at"):
        broker.enqueue(message(kind), delay=1000)


def test_a_lane_has_no_delay_queue(broker: Any, kind: Kind) -> None:
    broker.declare_queue(kind.name)
    assert (set(broker.queues), broker.delay_queues) == ({kind.name}, set())


def test_one_that_answers_says_nothing(broker: Any) -> None:
    broker.ping()


def test_one_that_is_away_is_told_in_dramatiqs_words_with_the_reason(name: str, kind: Kind, settings: Any) -> None:
    settings.REDIS_URL = NOWHERE["redis"]
    options = {"url": NOWHERE["rabbitmq"]} if name == "rabbitmq" else {}
    away: WakeBroker = broker_class()(middleware=[], timeout=0.25, **options)
    with pytest.raises(ConnectionClosed) as pinged:
        away.ping()
    with pytest.raises(ConnectionClosed) as sent:
        away.enqueue_once(message(kind))
    assert pinged.value.__cause__ is not None
    assert sent.value.__cause__ is not None
