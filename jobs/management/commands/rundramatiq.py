"""`manage.py rundramatiq`: run the workers."""

import multiprocessing
import os
import sys
from argparse import ArgumentParser
from multiprocessing.connection import Connection
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from dramatiq import cli

from jobs import startup
from jobs.kinds import all_kinds
from jobs.process.master import master_arguments
from jobs.process.orphan import stop_with_parent

#: Threads of a process beyond one per batch that may be under way: one to look at a lane that is at its limit.
SPARE_THREADS = 1


class Command(BaseCommand):
    """django-dramatiq's command with defaults that fit.

    This process becomes dramatiq's master and forks the workers, which so find Django loaded. It opens no connection
    and no client: those don't survive a fork.
    """

    help = "Runs the workers: they do the jobs, beat, and elect the scheduler among them. Stop it with SIGTERM."
    #: Done in a process of its own: they load all paths and views, which no worker needs.
    requires_system_checks = []

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
        """Check what workers need, then be dramatiq's master until the end."""
        if sys.platform == "linux":
            # Python's default up to 3.13.
            multiprocessing.set_start_method("fork", force=True)
        for kind in all_kinds():
            if kind.preload is not None:
                kind.preload()
        connections.close_all()
        self._check()
        if options["log_file"]:
            _log_to(options["log_file"])
        arguments = master_arguments(
            processes=options["processes"],
            threads=options["threads"],
            grace=settings.SHUTDOWN_GRACE,
            queues=options["queues"],
            pid_file=options["pid_file"],
        )
        # After SIGHUP dramatiq stops its workers and runs this program anew.
        sys.argv = [sys.executable, *sys.argv]
        sys.exit(cli.main(cli.make_argument_parser().parse_args(arguments)))

    def _check(self) -> None:
        """Do the checks of a start in a process of its own; raise `CommandError` when it can't be."""
        fork = multiprocessing.get_context("fork")
        answer, told = fork.Pipe(duplex=False)
        child = fork.Process(target=self._check_and_tell, args=(told,))
        child.start()
        told.close()
        try:
            reason = answer.recv()
        except EOFError:
            child.join()
            raise CommandError(f"The checks before the start ended with exit code {child.exitcode}.") from None
        child.join()
        if reason:
            raise CommandError(reason)

    def _check_and_tell(self, told: Connection) -> None:
        stop_with_parent()
        try:
            self.check()
            startup.check(lambda line: self.stderr.write(line))
        except (CommandError, startup.CannotStart) as error:
            told.send(str(error))
        else:
            told.send("")


def _log_to(path: str) -> None:
    """Make a file the standard error of this process and its workers."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    except OSError as error:
        raise CommandError(f"The log file can't be written: {error}") from None
    sys.stderr.flush()
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)
