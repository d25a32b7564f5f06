"""Timing and summing up, and the sections of the benchmark. A section is declared in one place, a module of `sections`:

register(Section("search", "what searches take and find", measure))
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules

from yellowbook.benchmarks import sections


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, what it is held against, and the limit (None where there is none), all in `unit`."""

    #: Says by itself what was measured; unique in a section.
    name: str
    value: float
    unit: str
    #: The same of something else, measured in the same run; `against` says of what.
    reference: float
    limit: float | None = None
    against: str = ""
    #: Whether more is better.
    at_least: bool = False

    @classmethod
    def of_peer(cls, name: str, value: float, unit: str) -> "Figure":
        """Return what others are held against."""
        return cls(name, value, unit, value, against="the reference")

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the reference; None where that is 0."""
        return self.value / self.reference if self.reference else None

    @property
    def holds(self) -> bool | None:
        """Whether the value is within its limit; None without one."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the benchmark, which is run in a process of its own."""

    name: str
    title: str
    #: Yields figures as they are measured; called in an empty scratch database.
    measure: "Callable[[Scale], Iterator[Figure]]"
    #: What its process finds in its environment besides.
    environment: Mapping[str, str] = field(default_factory=dict)

    def figures(self, scale: "Scale") -> Iterator[Figure]:
        """Yield the figures as they are measured. Raises `ValueError` for two of one name: nobody could tell which."""
        names: set[str] = set()
        for figure in self.measure(scale):
            if figure.name in names:
                raise ValueError(f"section {self.name!r} has two figures that are named {figure.name!r}")
            names.add(figure.name)
            yield figure


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a benchmark is: 1 for the real one, less to see that it runs."""

    factor: float = 1.0

    def __call__(self, count: int, *, at_least: int = 1) -> int:
        """Return so many on this scale."""
        return max(at_least, round(count * self.factor))


_sections: dict[str, Section] = {}


def register(section: Section) -> Section:
    """Make a section known; names are unique."""
    if _sections.setdefault(section.name, section) is not section:
        raise ValueError(f"a section named {section.name!r} is already declared")
    return section


def all_sections() -> list[Section]:
    """Return every section, by name."""
    for module in iter_modules(sections.__path__):
        import_module(f"{sections.__name__}.{module.name}")
    return [_sections[name] for name in sorted(_sections)]


def milliseconds(act: Callable[[], object]) -> float:
    """Return how long one call takes, in milliseconds."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000
