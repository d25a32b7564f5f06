"""`manage.py benchmark`: what saves, bulk requests and imports cost on this machine."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.test.utils import override_settings
from rich.console import Console
from rich.table import Table

from yellowbook.benchmarks import saves
from yellowbook.benchmarks.measure import Figure
from yellowbook.search.evaluation.scratch import scratch_database


class Command(BaseCommand):
    """Measures in a scratch database on the configured server, and drops it afterwards."""

    help = "Measures saves, bulk requests and imports in a scratch database; your data are not touched."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--repeats", type=int, default=300, help="measured POSTs of each sort (default: 300)")
        parser.add_argument("--rows", type=int, default=10_000, help="rows of the import (default: 10,000)")
        parser.add_argument("--json", action="store_true", help="print one JSON object per figure")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        with scratch_database(), override_settings(ALLOWED_HOSTS=["testserver"]):
            client = saves.staff_client()
            figures = [
                *saves.creates(client, options["repeats"]),
                *saves.bulk(client, (50, 1_000, 10_000)),
                *saves.imports(client, options["rows"]),
            ]
        if options["json"]:
            for figure in figures:
                self.stdout.write(json.dumps({**asdict(figure), "holds": figure.holds}))
        else:
            Console().print(_table(figures))


def _table(figures: list[Figure]) -> Table:
    """Return the figures as a table for a terminal."""
    table = Table("measured", "value", "without a job", "limit", "")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{figure.value:,.2f} {figure.unit}",
            "" if figure.reference is None else f"{figure.reference:,.2f} {figure.unit}",
            "" if figure.limit is None else f"{figure.limit:,.0f} {figure.unit}",
            {None: "", True: "holds", False: "OVER"}[figure.holds],
        )
    for column in (1, 2, 3):
        table.columns[column].justify = "right"
    return table
