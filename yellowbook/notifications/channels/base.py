"""What a channel is."""

from collections.abc import Callable
from dataclasses import dataclass

from yellowbook.notifications.models import Delivery
from yellowbook.notifications.owners import Recipient


@dataclass(slots=True)
class Said:
    """What the other side answered; filled in while a message is sent, so that it is there after a failure, too."""

    #: Of HTTP or SMTP; None when there was no answer.
    status: int | None = None
    answer: str = ""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One way to reach an owner."""

    #: Whether an owner can be reached this way.
    reaches: Callable[[Recipient], bool]
    #: Sends a message; raises a `jobs.errors.JobError`, whose class decides whether it is tried again. May be called
    #: twice for one message, and ends within a deadline of its own.
    send: Callable[[Delivery, Recipient, Said], None]
