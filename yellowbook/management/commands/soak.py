"""`manage.py soak`: a whole system under faults of every kind, and whether anything was lost."""

import json
import secrets
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from yellowbook.local.errors import LocalError
from yellowbook.soak.faults import Faults
from yellowbook.soak.rig import Rig
from yellowbook.soak.run import Report, Soak

#: The highest seed that is made up.
MOST = 10**6


class Command(BaseCommand):
    """Runs servers, a stand-in for Google, editors and workers of its own; nothing of yours is touched."""

    help = (
        "Saves, changes and deletes businesses for some minutes while workers, Redis, PostgreSQL and the provider are"
        " killed, frozen, cut and restarted; then checks that nothing was lost. Exit code 1 if anything was."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--minutes", type=float, default=10, help="how long things break (default: 10)")
        parser.add_argument("--seed", type=int, help="repeats the faults of an earlier soak (default: made up)")
        parser.add_argument("--workers", type=int, default=3, help="worker processes (default: 3)")
        parser.add_argument("--businesses", type=int, default=2000, help="about so many (default: 2000)")
        parser.add_argument("--backlog", type=int, default=1000, help="jobs at once, at the least (default: 1000)")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures to a JSON file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Soak and tell the verdict."""
        if options["workers"] < 2:
            raise CommandError("--workers: at least 2, of which one may die at a time.")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started here is stopped here
        seed = secrets.randbelow(MOST) if options["seed"] is None else options["seed"]
        self.stdout.write(f"Seed {seed}. Starting servers, stand-in, editors and {options['workers']} workers.")
        rig = Rig(seed=seed, workers=options["workers"], businesses=options["businesses"], backlog=options["backlog"])
        try:
            with rig:
                report = Report(seed=seed, minutes=options["minutes"], workers=options["workers"])
                Soak(rig, Faults(rig, seed), report, self.stdout.write).run()
        except LocalError as error:
            raise CommandError(str(error)) from error
        if options["report"]:
            options["report"].write_text(json.dumps(report.described(), indent=2) + "\n", encoding="utf-8")
        self._tell(report)

    def _tell(self, report: Report) -> None:
        """Print the figures and what is wrong, if anything; exit code 1 then."""
        table = Table("of this soak", "figure")
        for name, value in report.described().items():
            if name not in {"holds", "findings"}:
                told = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else value
                table.add_row(name.replace("_", " "), str(told))
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]
        for finding in report.findings:
            self.stdout.write(f"WRONG: {finding}")
        again = f"manage.py soak --seed {report.seed} --minutes {report.minutes:g} --workers {report.workers}"
        if not report.holds:
            raise CommandError(f"Something was lost or done wrong. The same faults again: {again}")
        self.stdout.write(f"Nothing was lost. The same faults again: {again}")
