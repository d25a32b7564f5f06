"""`manage.py import_businesses FILE`: add and update businesses from a file of any size."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TextIO, cast

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from yellowbook.directory.importer import Format, Report, import_file
from yellowbook.directory.parsers import UnreadableFile
from yellowbook.directory.rows import Rejection

SAMPLE: Final = Path(__file__).resolve().parents[2] / "data" / "sample_businesses.csv"
#: Rejected rows that are shown; `--rejects` writes all of them.
SHOWN_REJECTS: Final = 20
#: Exit codes besides 0, all rows are in.
SOME_REJECTED: Final = 1
NOT_STARTED: Final = 2

_FORMATS: Final[dict[str, Format]] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Command(BaseCommand):
    """Imports a file, shows how far it is and what came of it."""

    help = (
        "Adds and updates businesses from a CSV (with header) or JSON lines file. A row is about the business with its "
        "external_id or, without one, with its name and address. Exit code 0: all rows are in; 1: some were rejected; "
        "2: the import could not start."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", nargs="?", type=Path, help="the file to import")
        what.add_argument("--sample", action="store_true", help="import the sample businesses of the project")
        parser.add_argument("--format", choices=["csv", "jsonl"], help="what the file holds (default: by its ending)")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, write nothing")
        parser.add_argument(
            "--rejects", type=Path, metavar="FILE", help="write every rejected row to this file, as JSON lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, report, and exit with the code that fits."""
        path = SAMPLE if options["sample"] else options["file"]
        file_format = options["format"] or _FORMATS.get(path.suffix.lower())
        if file_format is None:
            raise CommandError(f"Can't tell what {path.name} holds: give --format.", returncode=NOT_STARTED)
        try:
            if options["rejects"]:
                _write_rejects(options["rejects"], [])
            report = self._import(path, file_format, dry_run=options["dry_run"])
            if options["rejects"]:
                _write_rejects(options["rejects"], report.rejected)
        except UnreadableFile as error:
            raise CommandError(str(error), returncode=NOT_STARTED) from error
        except OSError as error:
            raise CommandError(f"Can't open {error.filename}: {error.strerror}.", returncode=NOT_STARTED) from error
        except OperationalError as error:
            raise CommandError(f"The database can't be reached: {error}", returncode=NOT_STARTED) from error
        self._show(report, dry_run=options["dry_run"])
        if report.rejected:
            sys.exit(SOME_REJECTED)

    def _import(self, path: Path, file_format: Format, *, dry_run: bool) -> Report:
        """Run the import under a progress bar, if there is a terminal to show it on."""
        console = Console(stderr=True)
        columns = (
            TextColumn("Importing"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
        )
        bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        with path.open("rb") as stream, bar:
            task = bar.add_task("", total=path.stat().st_size, rows=0)
            return import_file(
                stream,
                file_format,
                dry_run=dry_run,
                on_chunk=lambda report: bar.update(task, completed=stream.tell(), rows=report.rows),
            )

    def _show(self, report: Report, *, dry_run: bool) -> None:
        """Print the counts, and to standard error the rows that were rejected."""
        table = Table(title="What would happen" if dry_run else None, show_header=False, title_justify="left")
        table.add_column()
        table.add_column(justify="right")
        for label, count in (
            ("created", report.created),
            ("updated", report.updated),
            ("unchanged", report.unchanged),
            ("further rows about one of these", report.duplicates),
            ("rejected", len(report.rejected)),
        ):
            table.add_row(label, f"{count:,}")
        Console(file=cast(TextIO, self.stdout)).print(table)
        if report.ignored_columns:
            names = ", ".join(map(repr, sorted(report.ignored_columns)))
            self.stdout.write(f"Columns that mean nothing here: {names}.")
        for rejection in report.rejected[:SHOWN_REJECTS]:
            self.stderr.write(f"Line {rejection.line}: {_reasons(rejection)}")
        if len(report.rejected) > SHOWN_REJECTS:
            self.stderr.write(f"... and {len(report.rejected) - SHOWN_REJECTS:,} more: --rejects FILE writes them all.")


def _reasons(rejection: Rejection) -> str:
    """Put the reasons of one row into a line."""
    return " ".join(
        " ".join(messages) if column == "row" else f"{column}: {' '.join(messages)}"
        for column, messages in rejection.errors.items()
    )


def _write_rejects(path: Path, rejected: Iterable[Rejection]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for rejection in rejected:
            line = {"row": rejection.line, "errors": rejection.errors}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
