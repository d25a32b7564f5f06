"""A RabbitMQ for the tests of brokers."""

import gc
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from jobs.broker.errands import THREAD as ERRANDS
from jobs.wake import _broker, _errands
from tests.rabbitmq import RabbitMQ, running_rabbitmq


@pytest.fixture(scope="session")
def node() -> Iterator[RabbitMQ]:
    """RabbitMQ, started once."""
    with running_rabbitmq() as server:
        yield server


@pytest.fixture
def rabbitmq(node: RabbitMQ, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RabbitMQ]:
    """RabbitMQ, up and in use as the broker. Neither a thread that sends to it nor a connection is left behind."""
    node.start()
    before = settings.BROKER_URL, settings.DRAMATIQ_BROKER
    settings.BROKER_URL = node.url
    settings.DRAMATIQ_BROKER = {"BROKER": "jobs.broker.rabbitmq.WakeBroker", "OPTIONS": {"url": node.url}}
    monkeypatch.setattr(_errands, "_idle", 0.1)
    _broker.cache_clear()
    yield node
    for thread in threading.enumerate():
        if thread.name == ERRANDS:
            thread.join()
    _broker().hang_up()
    settings.BROKER_URL, settings.DRAMATIQ_BROKER = before
    _broker.cache_clear()
    # Of a connection that the other end closed, pika leaves the sockets to the garbage collector.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()
