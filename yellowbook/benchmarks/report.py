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


def shown(value: float, unit: str) -> str:
    """Return a value with its unit, of as many digits as a person reads."""
    return (f"{value:,.0f} {unit}" if abs(value) >= 1000 else f"{value:.4g} {unit}").strip()


def table(title: str, figures: Sequence[Figure]) -> Table:
    """Return the figures of a section as a table."""
    rows = Table("measured", "value", "beside", "ratio", "goal", "", title=title)
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        rows.add_row(
            figure.name,
            shown(figure.value, figure.unit),
            f"{shown(figure.reference, figure.unit)} {figure.against}",
            "" if figure.ratio is None else f"{figure.ratio:,.2f}",
            "" if figure.limit is None else f"{sign} {shown(figure.limit, figure.unit)}",
            {None: "", True: "holds", False: "OVER"}[figure.holds],
        )
    for column in range(1, 5):
        rows.columns[column].justify = "right"
    return rows


def write_json(path: Path, machine: Mapping[str, str], measured: Measured) -> None:
    """Write everything to a file: what it ran on, and each figure with its ratio and whether it holds."""
    sections = {
        name: [{**asdict(figure), "ratio": figure.ratio, "holds": figure.holds} for figure in figures]
        for name, figures in measured.items()
    }
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({"at": at, "machine": dict(machine), "sections": sections}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
