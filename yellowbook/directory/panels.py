"""What other features show on a business's page in the admin. An app declares its own when it is ready:

register(Panel("reviews", "admin/reviews/panel.html", describe_reviews))
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from yellowbook.directory.models import Business


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page, to be looked at."""

    name: str
    #: Gets what `describe` returns as `panel`, and the page's own context.
    template: str
    describe: Callable[[HttpRequest, Business], Any]


_panels: dict[str, Panel] = {}


def register(panel: Panel) -> Panel:
    """Make a panel known; names are unique."""
    if _panels.setdefault(panel.name, panel) is not panel:
        raise ValueError(f"a panel named {panel.name!r} is already declared")
    return panel


def panels() -> list[Panel]:
    """Return all panels, in the order in which they were declared."""
    return list(_panels.values())
