"""How workers are started that are to meet faults."""

import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from yellowbook.local.options import ROOT
from yellowbook.local.process import Child, start

#: dramatiq's first module, which sets Django and the broker up; the other one does it on a host whose clock is wrong.
USUAL, WRONG_CLOCK = "django_dramatiq.setup", "yellowbook.soak.clock"


def worker_arguments(
    *, threads: int, grace: float, setup: str = USUAL, modules: Sequence[str] = (), queues: Sequence[str] = ()
) -> list[str]:
    """Return dramatiq's arguments for one worker process as `manage.py rundramatiq` gives them, with more `modules`."""
    return [
        *("--path", str(ROOT), "--processes", "1", "--threads", str(threads), "--skip-logging"),
        *("--worker-shutdown-timeout", str(int(grace * 1000))),
        *(setup, "jobs.actors", "yellowbook.soak.tied", *modules),
        *(["--queues", *queues] if queues else []),
    ]


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that `manage.py rundramatiq` gives a worker."""
    return {"DJANGO_SETTINGS_MODULE": "yellowbook.settings", "dramatiq_restart_delay": "1000", **environment}


def start_worker(
    name: str,
    environment: Mapping[str, str],
    log: Path,
    *,
    threads: int,
    setup: str = USUAL,
    modules: Sequence[str] = (),
) -> Child:
    """Start a master with one worker process."""
    grace = float(environment.get("SHUTDOWN_GRACE", "30"))
    arguments = worker_arguments(threads=threads, grace=grace, setup=setup, modules=modules)
    command = [sys.executable, "-m", "dramatiq", *arguments]
    return start(
        name,
        command,
        log=log,
        environment=worker_environment(environment),
        directory=ROOT,
        orphan_signal=signal.SIGKILL,
    )
