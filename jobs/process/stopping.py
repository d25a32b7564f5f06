"""Whether this process may take on more work."""

from threading import Event

from jobs.process.guard import guard

#: Set once the process was told to stop.
stopping = Event()


def may_claim() -> bool:
    """Tell whether there is time and memory for another batch."""
    return not (stopping.is_set() or guard.holding)
