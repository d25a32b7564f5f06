"""A benchmark's goals as a picture: how much of each limit was used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from yellowbook.benchmarks.report import Measured

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
    held = [each for figures in measured.values() for each in figures if each.limit]
    used = [(each.limit or 0) / each.value if each.at_least else each.value / (each.limit or 1) for each in held]
    picture = Picture(figsize=(WIDTH, AROUND + BAR * len(held)), layout="constrained")
    axes = picture.subplots()
    colours = [HOLDS if each.holds else OVER for each in held]
    axes.barh([each.name for each in held], [min(share, LONGEST) for share in used], color=colours)
    for place, (each, share) in enumerate(zip(held, used, strict=True)):
        label = f" {each.value:,.4g} {each.unit} of {each.limit:,g}".replace("  ", " ")
        axes.text(min(share, LONGEST), place, label, va="center", fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlim(0, LONGEST * 1.25)
    axes.set_xlabel("share of the limit; left of the line is within it")
    axes.set_title(f"manage.py benchmark: {machine['processor']}, {machine['cores']} cores", fontsize=10)
    picture.savefig(path, dpi=120)
