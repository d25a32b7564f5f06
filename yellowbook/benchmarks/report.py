"""A benchmark's figures as tables for a terminal, as JSON and as a chart."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from yellowbook.benchmarks.measure import Figure

#: Figures by the name of their section.
Measured = Mapping[str, Sequence[Figure]]


def table(title: str, figures: Sequence[Figure]) -> Table:
    """Return the figures of a section as a table."""
    shown = Table("measured", "value", "beside", "ratio", "goal", "", title=title)
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        shown.add_row(
            figure.name,
            f"{figure.value:,.4g} {figure.unit}",
            ""
            if figure.reference is None
            else " ".join(f"{figure.reference:,.4g} {figure.unit} {figure.against}".split()),
            "" if figure.ratio is None else f"{figure.ratio:,.2f}",
            "" if figure.limit is None else f"{sign} {figure.limit:,g} {figure.unit}",
            {None: "", True: "holds", False: "OVER"}[figure.holds],
        )
    for column in range(1, 5):
        shown.columns[column].justify = "right"
    return shown


def write_json(path: Path, machine: Mapping[str, str], measured: Measured) -> None:
    """Write everything to a file: what it ran on, and each figure with its ratio and whether it holds."""
    sections = {
        name: [{**asdict(figure), "ratio": figure.ratio, "holds": figure.holds} for figure in figures]
        for name, figures in measured.items()
    }
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({"at": at, "machine": dict(machine), "sections": sections}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
