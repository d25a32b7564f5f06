"""`manage.py evaluate_search QUERIES.json`: how good and how fast search is on a data set."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from jobs.quiet import only_warnings
from yellowbook.search.evaluation.evaluate import SLIPS, Evaluation, Query, evaluate
from yellowbook.search.evaluation.scratch import fill, scratch_database


class Command(BaseCommand):
    """Imports a data set into a scratch database, embeds it, and measures every ranking."""

    help = (
        "Imports a data set into a database of its own, embeds it with the configured provider, and prints nDCG@10 and"
        " recall@10 of semantic, lexical and fused ranking by kind of query, how often a name with a slip of the pen"
        " finds the right business first, and how long a ranking takes. The directory itself is not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "queries", type=Path, help="JSON: a list of {text, kind, categories: those of the right answers}"
        )
        parser.add_argument(
            "--data", type=Path, help="CSV with name, category, ...; default: QUERIES without -queries, as .csv"
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure."""
        path: Path = options["queries"]
        data: Path = options["data"] or path.with_name(path.stem.removesuffix("-queries") + ".csv")
        try:
            queries = [Query.read(each) for each in json.loads(path.read_text(encoding="utf-8"))]
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} can't be read: {error}") from error
        if not data.is_file():
            raise CommandError(f"There is no {data}: name the businesses with --data FILE.csv.")
        with only_warnings("jobs", "embeddings"), scratch_database():
            report = fill(data)
            evaluation = evaluate(queries)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(evaluation), indent=2))
            return
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        _show(console, evaluation)
        if report.rejected:
            console.print(f"{len(report.rejected)} rows could not be imported and were left out.")


def _show(console: Console, evaluation: Evaluation) -> None:
    kinds = list(dict.fromkeys(kind for of_kind in evaluation.measured.values() for kind in of_kind))
    table = Table(title=f"{evaluation.businesses:,} businesses, {evaluation.model}")
    table.add_column("ranking")
    for kind in kinds:
        table.add_column("first is right" if kind == SLIPS else "nDCG@10 / recall@10", justify="right")
        table.columns[-1].header = f"{kind}\n{table.columns[-1].header}"
    for ranking, of_kind in evaluation.measured.items():
        cells = []
        for kind in kinds:
            measured = of_kind[kind]
            share = f"{measured.ndcg:.3f} / {measured.recall:.3f}"
            cells.append(share if measured.first is None else f"{measured.first:.1%}")
        table.add_row(ranking, *cells)
    console.print(table)
    console.print(
        f"A fused ranking, nothing kept from before: p50 {evaluation.p50:.1f} ms, p99 {evaluation.p99:.1f} ms."
    )
