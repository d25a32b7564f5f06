"""Panels: the parts of the dashboard, each with a template of its own, refreshed on their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from jobs.dashboard.look import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of the dashboard. Its template stands in `templates/admin/dashboard/`."""

    name: str
    title: str
    #: Panels stand in this order.
    order: int
    #: Returns the context of its template; None leaves it out.
    read: Callable[[Look, HttpRequest], Mapping[str, Any] | None]
    #: The permission to see it.
    permission: str
    #: Whether it takes the whole width.
    wide: bool = True
    #: Seconds for which a process shows what it made once to everybody who may see it: for what is dear to make, changes
    #: slowly, and is the same for all.
    kept_for: float = 0.0

    @property
    def template(self) -> str:
        """The name of its template."""
        return f"admin/dashboard/{self.name}.html"


_panels: dict[str, Panel] = {}


def register_panel(panel: Panel) -> Panel:
    """Make a panel known; names are unique."""
    if _panels.setdefault(panel.name, panel) is not panel:
        raise ValueError(f"a panel named {panel.name!r} is already declared")
    return panel


def all_panels() -> list[Panel]:
    """Return every panel, in order."""
    return sorted(_panels.values(), key=lambda panel: (panel.order, panel.name))
