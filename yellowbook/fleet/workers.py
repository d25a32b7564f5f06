"""How workers are started that somebody watches, or breaks."""

import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.process.master import BOOT, master_arguments
from yellowbook.local.options import ROOT
from yellowbook.local.process import Child, start

#: Ties a worker to its master.
TIED = "yellowbook.fleet.tied"


def start_worker(
    name: str,
    environment: Mapping[str, str],
    log: Path,
    *,
    threads: int,
    boot: str = BOOT,
    modules: Sequence[str] = (),
) -> Child:
    """Start a master with one worker process, which loads more `modules`."""
    grace = float(environment.get("SHUTDOWN_GRACE", "30"))
    arguments = master_arguments(processes=1, threads=threads, grace=grace, boot=boot, modules=(TIED, *modules))
    return start(
        name,
        [sys.executable, "-m", "dramatiq", *arguments],
        log=log,
        environment={"DJANGO_SETTINGS_MODULE": "yellowbook.settings", **environment},
        directory=ROOT,
        orphan_signal=signal.SIGKILL,
    )
