"""`manage.py benchmark`: what the parts of the system cost on this machine."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.test.utils import override_settings
from rich.console import Console
from rich.table import Table

from jobs.quiet import only_warnings
from yellowbook.benchmarks import saves, searching, similar  # noqa: F401 they declare the sections
from yellowbook.benchmarks.measure import Figure, Section, all_sections
from yellowbook.search.evaluation.scratch import scratch_database

#: Loggers that tell of every job and call.
_LOUD = ("jobs", "embeddings", "yellowbook")


class Command(BaseCommand):
    """Measures in a scratch database on the configured server, and drops it afterwards."""

    help = "Measures what the parts of the system cost, in a scratch database; your data are not touched."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        names = [section.name for section in all_sections()]
        parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(names)}; default: all")
        parser.add_argument("--repeats", type=int, default=300, help="measured POSTs of each sort (default: 300)")
        parser.add_argument("--rows", type=int, default=10_000, help="rows of the import (default: 10,000)")
        parser.add_argument(
            "--businesses", type=int, default=100_000, help="businesses of the large directory (default: 100,000)"
        )
        parser.add_argument("--searches", type=int, default=300, help="measured searches of each sort (default: 300)")
        parser.add_argument("--json", action="store_true", help="print one JSON object per figure")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print, section by section."""
        chosen = _chosen(options["sections"])
        for section in chosen:
            if options["json"]:
                for figure in _measured(section, options):
                    self.stdout.write(json.dumps({"section": section.name, **asdict(figure), "holds": figure.holds}))
            else:
                Console().print(_table(section, list(_measured(section, options))))


def _chosen(names: list[str]) -> list[Section]:
    known = {section.name: section for section in all_sections()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise CommandError(f"There is no section {', '.join(unknown)}: expected some of {', '.join(known)}.")
    return [known[name] for name in names] or list(known.values())


def _measured(section: Section, options: dict[str, Any]) -> Iterator[Figure]:
    """Yield the figures of a section, from an empty database of its own."""
    with scratch_database(), override_settings(ALLOWED_HOSTS=["testserver"]), only_warnings(*_LOUD):
        yield from section.measure(Namespace(**options))


def _table(section: Section, figures: list[Figure]) -> Table:
    """Return the figures as a table for a terminal."""
    table = Table("measured", "value", "beside", "goal", "", title=section.title)
    for figure in figures:
        beside = "" if figure.reference is None else f"{figure.reference:,.2f} {figure.unit} {figure.against}"
        sign = "≥" if figure.at_least else "≤"
        table.add_row(
            figure.name,
            f"{figure.value:,.3g} {figure.unit}" if figure.at_least else f"{figure.value:,.2f} {figure.unit}",
            beside,
            "" if figure.limit is None else f"{sign} {figure.limit:,g} {figure.unit}",
            {None: "", True: "holds", False: "OVER"}[figure.holds],
        )
    for column in (1, 2, 3):
        table.columns[column].justify = "right"
    return table
