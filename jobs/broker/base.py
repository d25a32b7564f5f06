"""What this project asks of a broker besides what dramatiq asks of it, and which broker is in use."""

from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from jobs.outage import Outage
from jobs.redis import PATIENT


class WakeBroker(Protocol):
    """A `dramatiq.Broker` that keeps one wake-up of a lane waiting, and no message for later."""

    #: Whether any thread may send. Else a connection belongs to the thread that made it: one thread sends for all.
    any_thread: ClassVar[bool]

    def __init__(self, *, middleware: Any = None, timeout: float = ..., **options: Any) -> None:
        """Connect to nothing yet; `timeout` is how many seconds the server may take for an answer."""

    @property
    def outage(self) -> Outage:
        """What notes that the server is away, and that it is back."""

    def waiting_messages(self, queue_name: str) -> int:
        """Return how many messages of a queue no worker has fetched yet."""

    def enqueue_once(self, message: Message[Any]) -> None:
        """Enqueue a message unless its queue has one that no worker has fetched yet.

        Such a one serves whatever was committed before it is fetched. Raises `dramatiq.errors.ConnectionClosed`, with
        the reason as its cause.
        """

    def ping(self) -> None:
        """Raise `dramatiq.errors.ConnectionClosed` when the server does not answer."""

    def hang_up(self) -> None:
        """Close the calling thread's connection, if it has one to itself."""


def broker_class() -> type[WakeBroker]:
    """Return the broker that the settings name."""
    found: type[WakeBroker] = import_string(settings.DRAMATIQ_BROKER["BROKER"])
    return found


def make_broker(*, timeout: float) -> WakeBroker:
    """Return a sending side of its own, with no middleware."""
    return broker_class()(middleware=[], timeout=timeout, **settings.DRAMATIQ_BROKER["OPTIONS"])


def rabbitmq_failure() -> str:
    """Try to reach RabbitMQ once; return the class of what failed, nothing when nothing did or it is not the broker."""
    if not settings.BROKER_URL:
        return ""
    try:
        make_broker(timeout=PATIENT).ping()
    except ConnectionClosed as error:
        return type(error.__cause__ or error).__name__
    return ""
