"""The command line of `yellowbook.local`: `python -m yellowbook.local run`, `exec -- COMMAND` or `wipe`."""

import argparse
import os
import signal
import sys

from django.core.exceptions import ImproperlyConfigured

from yellowbook.local.errors import LocalError
from yellowbook.local.execute import execute
from yellowbook.local.options import Options, read_options
from yellowbook.local.process import tie_to_parent
from yellowbook.local.supervisor import Supervisor
from yellowbook.local.wipe import wipe


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m yellowbook.local", description="The yellow book on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run everything until Ctrl-C")
    run.add_argument("--tied", action="store_true", help="stop as well when the process that started this one dies")
    throwaway = commands.add_parser("exec", help="run a command with throw-away servers")
    throwaway.add_argument("argv", nargs="+", metavar="COMMAND")
    commands.add_parser("wipe", help="remove the data, credentials and logs of the embedded servers")
    arguments = parser.parse_args()
    try:
        options = read_options()
        if arguments.command == "exec":
            return execute(arguments.argv, options)
        if arguments.command == "wipe":
            wipe(options.var_dir)
            return 0
        return _run(options, tied=arguments.tied)
    except (LocalError, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(options: Options, *, tied: bool) -> int:
    supervisor = Supervisor(options)
    supervisor.catch_signals()
    if tied:
        tie_to_parent(os.getppid(), signal.SIGTERM)
    return supervisor.run()
