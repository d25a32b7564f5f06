"""What becomes of a process when the one that started it dies."""

import ctypes
import multiprocessing
import os
import signal
import sys

#: `prctl` option: the signal that this process gets when its parent dies (linux/prctl.h).
_PR_SET_PDEATHSIG = 1


def stop_with_parent() -> None:
    """Ask the kernel to send this process SIGTERM when its parent dies, as it may without passing on any signal.

    For a child of `multiprocessing`. Elsewhere than on Linux this does nothing.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid != os.getppid():
        # It died before the kernel was asked.
        os.kill(os.getpid(), signal.SIGTERM)
