"""A worker whose host's clock is wrong: dramatiq loads this module in place of `jobs.boot`.

`CLOCK_AHEAD` says by how many seconds the clock is ahead; negative: behind. Everything that the project and its
libraries read of the host's time of day is moved; intervals (`time.monotonic`) are as they are.
"""

import datetime
import importlib
import os
import time

import dramatiq.common

AHEAD = float(os.environ.get("CLOCK_AHEAD", "0"))

_time, _now = time.time, datetime.datetime.now


def moved_time() -> float:
    """Return what `time.time` would on that host."""
    return _time() + AHEAD


def moved_now() -> datetime.datetime:
    """Return what `django.utils.timezone.now` would on that host."""
    return _now(datetime.UTC) + datetime.timedelta(seconds=AHEAD)


time.time = moved_time
vars(dramatiq.common)["time"] = moved_time
timezone = importlib.import_module("django.utils.timezone")
vars(timezone)["now"] = moved_now

importlib.import_module("jobs.boot")
