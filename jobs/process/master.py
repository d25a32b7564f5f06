"""dramatiq's master: how one is told what to run."""

from collections.abc import Sequence

from django.conf import settings

#: What a worker loads first: Django, set up for a worker.
BOOT = "jobs.boot"
#: Then the actor that serves every kind of job.
ACTORS = "jobs.actors"


def master_arguments(
    *,
    processes: int,
    threads: int,
    grace: float,
    boot: str = BOOT,
    modules: Sequence[str] = (),
    queues: Sequence[str] = (),
    pid_file: str = "",
) -> list[str]:
    """Return the arguments for a master with some worker processes.

    Each loads `boot`, the actors, then `modules`; serves `queues` (none: all lanes) with `threads` threads, and has
    `grace` seconds to end its work when it is told to stop.
    """
    return [
        *("--path", str(settings.BASE_DIR), "--processes", str(processes), "--threads", str(threads)),
        *("--worker-shutdown-timeout", str(int(grace * 1000)), "--skip-logging"),
        *(["--pid-file", pid_file] if pid_file else []),
        *(boot, ACTORS, *modules),
        *(["--queues", *queues] if queues else []),
    ]
