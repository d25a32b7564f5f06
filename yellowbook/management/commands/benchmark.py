"""`manage.py benchmark`: what the parts of the system cost on this machine."""

import json
import signal
import subprocess
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from yellowbook.benchmarks.chart import NoChart, write_chart
from yellowbook.benchmarks.machine import described
from yellowbook.benchmarks.measure import Figure, Section, all_sections
from yellowbook.benchmarks.report import table, write_json
from yellowbook.fleet.environment import environment_of
from yellowbook.local.errors import LocalError
from yellowbook.local.options import ROOT
from yellowbook.local.servers import EmbeddedServers
from yellowbook.local.throwaway import throwaway_servers

#: Of less than that, a section would measure one size twice.
LEAST = 0.001


def share(text: str) -> float:
    """Read a number from `LEAST` on. Raises `ArgumentTypeError`."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not LEAST <= number < inf:
        raise ArgumentTypeError(f"expected a number from {LEAST} on, not {text!r}")
    return number


class Command(BaseCommand):
    """Runs servers, workers and a stand-in for Google of its own; nothing of yours is touched."""

    help = "Measures what the parts of the system cost, each beside a reference, on servers of its own."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        names = [section.name for section in all_sections()]
        parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(names)}; default: all")
        parser.add_argument(
            "--scale",
            type=share,
            default=1.0,
            help="share of all counts, e.g. 0.01 for a try (default: 1)",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
        parser.add_argument("--chart", type=Path, metavar="FILE", help="draw what has a limit, as PNG or SVG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, section by section, and tell."""
        known = {section.name: section for section in all_sections()}
        unknown = [name for name in options["sections"] if name not in known]
        if unknown:
            raise CommandError(f"There is no section {', '.join(unknown)}: expected some of {', '.join(known)}.")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started here is stopped here
        machine = described()
        measured: dict[str, list[Figure]] = {}
        try:
            with throwaway_servers(durable=True) as servers:
                for name in options["sections"] or known:
                    measured[name] = list(_measured(known[name], options["scale"], servers))
                    Console(file=self.stdout).print(table(known[name].title, measured[name]))  # type: ignore[arg-type]
                    if options["json"]:
                        write_json(options["json"], machine, measured)
            if options["chart"]:
                write_chart(options["chart"], machine, measured)
        except (LocalError, NoChart) as error:
            raise CommandError(str(error)) from error


def _measured(section: Section, scale: float, servers: EmbeddedServers) -> Iterator[Figure]:
    """Yield the figures of a section as they are measured. Raises `LocalError` when it breaks off."""
    command = [sys.executable, "-m", "yellowbook.benchmarks", section.name, str(scale)]
    environment = environment_of(servers, **section.environment)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        try:
            assert child.stdout is not None
            for line in child.stdout:
                yield Figure(**json.loads(line))
        except BaseException:
            child.terminate()
            raise
    if child.returncode:
        raise LocalError(f"{section.name} broke off with exit code {child.returncode}; what went wrong is said above.")
