"""Ties a worker process to the master that started it."""

import ctypes
import multiprocessing
import os
import signal
import sys

from dramatiq import Broker, Middleware

#: `prctl` option: the signal that this process gets when its parent dies (linux/prctl.h).
_PR_SET_PDEATHSIG = 1


class ParentDeath(Middleware):
    """Asks the kernel to stop this worker process when dramatiq's master dies.

    dramatiq's master passes signals on, but killed by SIGKILL it can't, and its workers would go on as orphans. They
    get SIGTERM instead and stop in good order. Elsewhere than on Linux this does nothing.
    """

    def after_process_boot(self, broker: Broker) -> None:
        """Called in the worker process before it takes any message."""
        if sys.platform != "linux":
            return
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        master = multiprocessing.parent_process()
        if master is not None and master.pid != os.getppid():
            # The master died before the kernel was asked.
            os.kill(os.getpid(), signal.SIGTERM)
