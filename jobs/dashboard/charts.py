"""Charts as SVG: this computes them, `templates/admin/dashboard/chart.html` draws them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.dashboard.spans import Span
from jobs.models import Step

#: Units of the drawing.
WIDTH, HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 24
_INNER_WIDTH, _INNER_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
#: Labels below, at most.
_X_LABELS = 6


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each step; None where there is none. `style` is the part of a CSS class."""

    name: str
    style: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Shape:
    """One series as it is drawn."""

    name: str
    style: str
    path: str
    #: Whether it is a line, else an area.
    line: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, ready to be drawn."""

    name: str
    title: str
    #: What a reader who doesn't see it has to know.
    description: str
    shapes: Sequence[Shape]
    #: Positions and labels of the axes.
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    #: Whether there is nothing to draw.
    empty: bool = False


def bars(
    name: str, title: str, span: Span, now: datetime, series: Sequence[Series], *, description: str, unit: str = ""
) -> Chart:
    """Stack the series, the first one at the bottom."""
    moments = span.moments(now)
    totals = [sum(each.values[step] or 0.0 for each in series) for step in range(len(moments))]
    top = nice(max(totals, default=0.0))
    width = _INNER_WIDTH / len(moments)
    below = [0.0] * len(moments)
    shapes = []
    for each in series:
        path = []
        for step, value in enumerate(each.values):
            if value:
                path.append(
                    f"M{_LEFT + step * width + width * 0.1:.1f} {_y(below[step], top):.1f}"
                    f"V{_y(below[step] + value, top):.1f}h{width * 0.8:.1f}V{_y(below[step], top):.1f}z"
                )
                below[step] += value
        shapes.append(Shape(each.name, each.style, "".join(path), line=False))
    return _chart(name, title, span, moments, shapes, top, description, unit, empty=not any(totals))


def lines(
    name: str, title: str, span: Span, now: datetime, series: Sequence[Series], *, description: str, unit: str = ""
) -> Chart:
    """Draw each series as a line, interrupted where it has no value."""
    moments = span.moments(now)
    values = [value for each in series for value in each.values if value is not None]
    top = nice(max(values, default=0.0))
    width = _INNER_WIDTH / len(moments)
    shapes = []
    for each in series:
        path, drawing = [], False
        for step, value in enumerate(each.values):
            if value is None:
                drawing = False
                continue
            x, y = _LEFT + (step + 0.5) * width, _y(value, top)
            # A single point is drawn as a short stroke, or nobody would see it.
            path.append(f"L{x:.1f} {y:.1f}" if drawing else f"M{x - width * 0.3:.1f} {y:.1f}L{x:.1f} {y:.1f}")
            drawing = True
        shapes.append(Shape(each.name, each.style, "".join(path), line=True))
    return _chart(name, title, span, moments, shapes, top, description, unit, empty=not values)


def spark(values: Sequence[float | None], *, width: int = 96, height: int = 24) -> str:
    """Return the path of a small line without axes, from zero up; empty when there are fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    top = max(known) or 1.0
    step = width / (len(values) - 1)
    path, drawing = [], False
    for index, value in enumerate(values):
        if value is not None:
            path.append(f"{'L' if drawing else 'M'}{index * step:.1f} {height - 1 - value / top * (height - 2):.1f}")
        drawing = value is not None
    return "".join(path)


def nice(value: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, ... times a power of ten that is not below `value`; at least a part."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * 0.999999)


def _y(value: float, top: float) -> float:
    return _TOP + _INNER_HEIGHT * (1 - value / top)


def _chart(
    name: str,
    title: str,
    span: Span,
    moments: Sequence[datetime],
    shapes: Sequence[Shape],
    top: float,
    description: str,
    unit: str,
    *,
    empty: bool,
) -> Chart:
    every = math.ceil(len(moments) / _X_LABELS)
    width = _INNER_WIDTH / len(moments)
    days = span.step == Step.HOUR and len(moments) > 24
    x_ticks = [
        (round(_LEFT + (index + 0.5) * width, 1), f"{moment:%d %b}" if days else f"{moment:%H:%M}")
        for index, moment in enumerate(moments)
        if index % every == every // 2
    ]
    y_ticks = [(round(_y(value, top), 1), f"{value:,.6g}{unit}") for value in (0.0, top / 2, top)]
    return Chart(name, title, description, shapes, x_ticks, y_ticks, empty=empty)
