"""`manage.py rundramatiq`: run the workers."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from jobs import startup
from jobs.kinds import all_kinds

#: Threads of a process beyond one per batch that may be under way: one to look at a lane that is at its limit.
SPARE_THREADS = 1

#: What a worker loads: Django with django-dramatiq's broker, then the actor that serves every kind of job.
MODULES = ("django_dramatiq.setup", "jobs.actors")

#: Milliseconds after which a consumer that lost Redis tries again (dramatiq's own default is 3000).
CONSUMER_RESTART_DELAY = "1000"


class Command(BaseCommand):
    """django-dramatiq's command with defaults that fit, and without dramatiq's console script.

    The script's first line holds the path of the interpreter, and Linux reads 127 characters of it and no spaces; a
    module has no such limit.
    """

    help = "Runs the workers: they do the jobs, beat, and elect the scheduler among them. Stop it with SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        threads = sum(kind.concurrency for kind in all_kinds()) + SPARE_THREADS
        parser.add_argument("--processes", "-p", type=int, default=1, help="worker processes (default: 1)")
        parser.add_argument(
            "--threads",
            "-t",
            type=int,
            default=threads,
            help=f"threads per process (default: one per batch that the lanes allow at once, here {threads})",
        )
        parser.add_argument("--queues", "-Q", nargs="*", default=[], help="lanes to serve (default: all)")
        parser.add_argument("--pid-file", default="", help="write the master's pid to this file")
        parser.add_argument("--log-file", default="", help="append the log to this file (default: standard error)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check what workers need, then replace this process by dramatiq's master."""
        try:
            startup.check(lambda line: self.stderr.write(line))
        except startup.CannotStart as error:
            raise CommandError(str(error)) from None
        connection.close()
        command = [
            *(sys.executable, "-m", "dramatiq"),
            *("--path", str(settings.BASE_DIR)),
            *("--processes", str(options["processes"])),
            *("--threads", str(options["threads"])),
            *("--worker-shutdown-timeout", str(int(settings.SHUTDOWN_GRACE * 1000))),
            "--skip-logging",
            *(["--pid-file", options["pid_file"]] if options["pid_file"] else []),
            *(["--log-file", options["log_file"]] if options["log_file"] else []),
            *MODULES,
            *(["--queues", *options["queues"]] if options["queues"] else []),
        ]
        os.environ.setdefault("dramatiq_restart_delay", CONSUMER_RESTART_DELAY)
        os.execv(sys.executable, command)  # noqa: S606 every part is ours
