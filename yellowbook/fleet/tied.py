"""Loaded by a worker after `jobs.actors`: it dies with its master, even frozen, when SIGTERM would never reach it."""

import os
import signal

from yellowbook.local.process import tie_to_parent

tie_to_parent(os.getppid(), signal.SIGKILL)
