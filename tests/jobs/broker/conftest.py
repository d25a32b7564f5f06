"""A RabbitMQ for the tests of brokers."""

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from jobs.wake import _broker
from tests.rabbitmq import RabbitMQ, running_rabbitmq


@pytest.fixture(scope="session")
def node() -> Iterator[RabbitMQ]:
    """RabbitMQ, started once."""
    with running_rabbitmq() as server:
        yield server


@pytest.fixture
def rabbitmq(node: RabbitMQ, settings: Any) -> Iterator[RabbitMQ]:
    """RabbitMQ, up and in use as the broker."""
    node.start()
    settings.BROKER_URL = node.url
    settings.DRAMATIQ_BROKER = {"BROKER": "jobs.broker.rabbitmq.WakeBroker", "OPTIONS": {"url": node.url}}
    _broker.cache_clear()
    yield node
    _broker.cache_clear()
    # Of a connection that the other end closed, pika leaves the sockets to the garbage collector.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()
