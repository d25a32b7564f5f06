"""Wake-ups over the real server: one is enough, an outage costs no save, and a consumer hears the bell."""

import time
from threading import Thread

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed, DecodeError

from jobs import outage
from jobs import wake as wake_module
from jobs.broker.redis import WakeBroker
from jobs.kinds import Kind
from jobs.redis import PATIENT
from jobs.wake import ACTOR, wake
from tests.concurrency import until

from .support import sender


@pytest.fixture
def consumer(kind: Kind):
    """A worker's end of the lane."""
    broker = WakeBroker(middleware=[], timeout=PATIENT)
    broker.declare_queue(kind.name)
    consumer = broker.consume(kind.name, prefetch=4, timeout=1000)
    yield consumer
    consumer.close()
    broker.client.close()
    broker.client.connection_pool.disconnect()


def test_one_message_is_enough_while_none_has_fetched_it(kind: Kind, consumer) -> None:
    assert [wake(kind.name) for _ in range(3)] == [True, True, True]
    assert sender().waiting_messages(kind.name) == 1
    message = next(consumer)
    assert (message.actor_name, message.args, message.queue_name) == (ACTOR, (kind.name,), kind.name)
    assert sender().waiting_messages(kind.name) == 0
    assert wake(kind.name)
    assert sender().waiting_messages(kind.name) == 1, "what is committed after the fetch needs another one"
    consumer.ack(message)


def test_an_idle_consumer_is_rung_by_the_message(kind: Kind, consumer) -> None:
    got: list[object] = []
    thread = Thread(target=lambda: got.append(until(lambda: next(consumer), "a message")))
    thread.start()
    until(lambda: any(b"blpop" in str(c["cmd"]).encode() for c in sender().client.client_list()), "the wait")
    wake(kind.name)
    thread.join(20)
    assert len(got) == 1


def test_a_consumer_without_a_message_comes_back_with_nothing(consumer) -> None:
    assert next(consumer) is None


def test_a_consumer_takes_no_more_than_it_may(kind: Kind, consumer) -> None:
    for _ in range(6):
        sender().enqueue(Message(queue_name=kind.name, actor_name=ACTOR, args=(kind.name,), kwargs={}, options={}))
    taken = [next(consumer) for _ in range(4)]
    assert all(taken)
    assert next(consumer) is None
    consumer.ack(taken[0])
    assert next(consumer) is not None


def test_the_bell_does_not_grow_without_end(kind: Kind, redis_client) -> None:
    for _ in range(100):
        sender().enqueue(Message(queue_name=kind.name, actor_name=ACTOR, args=(kind.name,), kwargs={}, options={}))
    assert redis_client.llen(f"dramatiq:{kind.name}.bell") <= 64


def test_messages_are_not_delayed(kind: Kind) -> None:
    message: Message[None] = Message(queue_name=kind.name, actor_name=ACTOR, args=(), kwargs={}, options={})
    with pytest.raises(ValueError, match="next_attempt_at"):
        sender().enqueue(message, delay=1000)


def test_a_lane_has_no_delay_queue(kind: Kind) -> None:
    broker = WakeBroker(middleware=[])
    broker.declare_queue(kind.name)
    assert (set(broker.queues), broker.delay_queues) == ({kind.name}, set())


def test_a_message_that_can_not_be_read_does_not_keep_the_next_one_back(kind: Kind, consumer, redis_client) -> None:
    redis_client.rpush(f"dramatiq:{kind.name}", "junk")
    redis_client.hset(f"dramatiq:{kind.name}.msgs", "junk", b"\xff{not json")
    sender().enqueue(Message(queue_name=kind.name, actor_name=ACTOR, args=(kind.name,), kwargs={}, options={}))
    got = None
    for _ in range(3):
        try:
            got = got or next(consumer)
        except DecodeError:
            continue
    assert got is not None


def test_a_flushed_server_is_filled_again_by_the_next_wake_up(kind: Kind, redis_client) -> None:
    wake(kind.name)
    redis_client.delete(f"dramatiq:{kind.name}", f"dramatiq:{kind.name}.msgs", f"dramatiq:{kind.name}.bell")
    assert wake(kind.name)
    assert sender().waiting_messages(kind.name) == 1


class TestOutage:
    """Redis is away: nothing raises, nobody waits, and it heals by itself."""

    def test_a_wake_up_says_so_and_rests(self, kind: Kind, dead_redis, monkeypatch) -> None:
        assert wake(kind.name) is False
        assert wake_module._breaker.resting
        monkeypatch.setattr(wake_module, "_broker", lambda: pytest.fail("tried while it rests"))
        assert wake(kind.name) is False

    def test_it_tries_again_after_the_rest_and_heals(self, kind: Kind, dead_redis) -> None:
        assert wake(kind.name) is False
        wake_module._breaker.closed_until = time.monotonic() - 1
        assert wake(kind.name) is False
        assert wake_module._breaker.resting, "a second failure rests again"
        dead_redis()
        wake_module._breaker.closed_until = time.monotonic() - 1
        assert wake(kind.name) is True
        assert not outage.redis.lasts
        assert wake(kind.name) is True

    def test_the_outage_is_logged_once(self, kind: Kind, dead_redis, caplog) -> None:
        for _ in range(3):
            wake(kind.name)
            wake_module._breaker.closed_until = 0.0
        assert caplog.text.count("redis_away") == 1
        dead_redis()
        wake(kind.name)
        assert caplog.text.count("redis_back") == 1

    def test_a_consumer_reports_a_lost_connection_in_dramatiqs_way(self, kind: Kind, dead_redis) -> None:
        broker = WakeBroker(middleware=[])
        with pytest.raises(ConnectionClosed):
            next(broker.consume(broker_queue(broker, kind), prefetch=1, timeout=1000))


def broker_queue(broker: WakeBroker, kind: Kind) -> str:
    broker.declare_queue(kind.name)
    return kind.name
