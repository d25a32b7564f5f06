"""Ties a worker process to the master that started it."""

from dramatiq import Broker, Middleware

from jobs.process.orphan import stop_with_parent


class ParentDeath(Middleware):
    """Stops this worker process in good order when dramatiq's master dies.

    The master passes signals on, but killed by SIGKILL it can't, and its workers would go on as orphans.
    """

    def after_process_boot(self, broker: Broker) -> None:
        """Called in the worker process before it takes any message."""
        stop_with_parent()
