"""dramatiq's RabbitMQ broker, with two changes: a queue keeps one message at most, and there are no delay queues.

A queue holds wake-ups of a lane, of which one is as good as many, so RabbitMQ itself keeps the last one that nobody has
fetched. What a worker refuses is dropped; nothing is kept of messages but in PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import pika
from dramatiq import Message
from dramatiq.broker import Consumer
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPError

from jobs import outage
from jobs.redis import PATIENT

#: Seconds between signs of life. A consumer gives them all the time; a host that vanished is noticed after two.
HEARTBEAT: Final = 10
#: What a queue is made with. One that was made with anything else has to be deleted by hand.
QUEUE: Final = {"x-max-length": 1}


class WakeBroker(RabbitmqBroker):
    """A `RabbitmqBroker` for wake-ups. `timeout` is that of connecting, in seconds."""

    any_thread: ClassVar[bool] = False

    def __init__(self, *, url: str, middleware: Any = None, timeout: float = PATIENT) -> None:
        # Confirmed, it notices a queue that was deleted, and makes it again.
        super().__init__(middleware=middleware, url=url, confirm_delivery=True)
        self.parameters: pika.URLParameters
        self.parameters.socket_timeout = self.parameters.stack_timeout = timeout
        self.parameters.blocked_connection_timeout = timeout
        self.parameters.heartbeat = HEARTBEAT

    @property
    def outage(self) -> outage.Outage:
        """RabbitMQ's."""
        return outage.rabbitmq

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Declare a queue without its delay queue, which would cost two connections for nothing."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.queues_pending.add(queue_name)
            self.emit_after("declare_queue", queue_name)
        if ensure and queue_name in self.queues_pending:
            with self._told():
                self.channel.queue_declare(queue_name, durable=True, arguments=QUEUE)
            self.queues_pending.discard(queue_name)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Return a consumer, which has a connection of its own; the one that declared the queue is closed."""
        consumer = super().consume(queue_name, prefetch, timeout)
        self.hang_up()
        return consumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Enqueue a message. Raises `ValueError` for a delay: due times live in PostgreSQL."""
        if delay is not None:
            raise ValueError("messages are not delayed: give the job a later next_attempt_at")
        with self._told():
            return super().enqueue(message)

    def enqueue_once(self, message: Message[Any]) -> None:
        """Enqueue a message; the queue keeps one."""
        self.enqueue(message)

    def waiting_messages(self, queue_name: str) -> int:
        """Return how many messages of a queue no worker has fetched yet: none or one."""
        with self._told():
            return int(self.channel.queue_declare(queue_name, passive=True).method.message_count)

    def ping(self) -> None:
        """Connect and hang up again."""
        with self._told():
            pika.BlockingConnection(self.parameters).close()

    def hang_up(self) -> None:
        """Close the calling thread's connection."""
        del self.connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn pika's errors into dramatiq's; the connection that failed is not used again."""
        try:
            yield
        except (AMQPError, OSError) as error:
            del self.connection
            raise ConnectionClosed(error) from error
