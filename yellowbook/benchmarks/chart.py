"""A benchmark's goals as a picture: how much of each limit was used."""

from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Final

from yellowbook.benchmarks.measure import Figure
from yellowbook.benchmarks.report import Measured, shown

#: Inches: width of the picture, height of a bar and of what is around the bars.
WIDTH, BAR, AROUND = 11.0, 0.3, 1.4
#: Colours of what holds and of what does not; they differ in lightness too.
HOLDS, OVER = "#4c9f70", "#8c2f39"
#: Bars end here, so that a figure far over its limit leaves the others readable.
LONGEST: Final = 2.0


class NoChart(Exception):
    """The library that draws is not installed."""


def write_chart(path: Path, machine: Mapping[str, str], measured: Measured) -> None:
    """Draw a bar for each figure with a limit: its share of the limit, or the limit's share of it where more is better.

    Raises `NoChart` where matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure as Picture
    except ImportError as error:
        raise NoChart("A chart needs matplotlib: install the extra, pip install 'yellowbook[charts]'.") from error
    places: list[int] = []
    titles: list[tuple[int, str]] = []
    held: list[Figure] = []
    for section, figures in measured.items():
        limited = [each for each in figures if each.limit is not None]
        if limited:
            titles.append((len(titles) + len(held), section))
            places += range(len(titles) + len(held), len(titles) + len(held) + len(limited))
            held += limited
    shares = [min(share(each), LONGEST) for each in held]
    picture = Picture(figsize=(WIDTH, AROUND + BAR * (len(titles) + len(held))), layout="constrained")
    axes = picture.subplots()
    axes.barh(places, shares, color=[HOLDS if each.holds else OVER for each in held])
    axes.set_yticks(places, [each.name for each in held], fontsize=8)
    beside = axes.get_yaxis_transform()
    for place, title in titles:
        axes.text(-0.01, place, title, transform=beside, ha="right", va="center", fontsize=9, fontweight="bold")
    for place, each in zip(places, held, strict=True):
        sign = "≥" if each.at_least else "≤"
        label = f"{shown(each.value, each.unit)} {sign} {shown(each.limit or 0, '')}"
        axes.text(1.01, place, label, transform=beside, va="center", fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_ylim(len(titles) + len(held) - 0.4, -0.6)
    axes.set_xlim(0, LONGEST)
    axes.set_xlabel("share of the limit; left of the line is within it")
    axes.set_title(f"manage.py benchmark: {machine['processor']}, {machine['cores']} cores", fontsize=10)
    picture.savefig(path, dpi=120)


def share(figure: Figure) -> float:
    """Return how much of its limit a figure uses: up to 1 it holds."""
    if figure.at_least:
        return (figure.limit or 0) / figure.value if figure.value else inf
    if not figure.limit:
        return inf if figure.value else 0.0
    return figure.value / figure.limit
