"""Runs one command with throw-away servers, such as a check that needs a database."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from yellowbook.local.errors import LocalError
from yellowbook.local.options import Options
from yellowbook.local.process import tie_to_parent
from yellowbook.local.throwaway import throwaway_servers


def execute(command: Sequence[str], options: Options) -> int:
    """Run it, and return its exit code; a server of the user's own takes the place of a throw-away one."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _exit)
    with throwaway_servers(options.database_url, options.redis_url) as servers:
        environment = os.environ | {
            "VAR_DIR": str(servers.var_dir),
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
        }
        parent = os.getpid()
        try:
            process = subprocess.Popen(  # noqa: S603 the user's own command
                command, env=environment, preexec_fn=lambda: tie_to_parent(parent, signal.SIGTERM)
            )
        except OSError as error:
            raise LocalError(f"{command[0]} could not be started: {error.strerror}") from error
        # The terminal's Ctrl-C reaches the command as well, which decides what to make of it.
        signal.signal(signal.SIGINT, _leave_to_command)
        try:
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        return code if code >= 0 else 128 - code


def _leave_to_command(_signum: int, _frame: FrameType | None) -> None:
    pass


def _exit(signum: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signum)
