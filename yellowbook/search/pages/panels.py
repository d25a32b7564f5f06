"""Sections that other features add to the page of a business, and to the home page.

A feature adds one by a line in the setting `BUSINESS_PANELS`: its template, and the dotted name of a function that
takes the business and returns the template's context, or None where there is nothing to show. `HOME_PANELS` is the same
for the home page, with functions that take nothing. So the pages know no feature by name, and no feature knows them.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from yellowbook.directory.models import Business

Fill = Callable[..., dict[str, Any] | None]


class Panel(NamedTuple):
    """A section: what draws it, and with what."""

    template: str
    context: dict[str, Any]


def panels_of(business: Business) -> list[Panel]:
    """Return the sections that have something to show for a business, in the order of the setting."""
    return _filled(settings.BUSINESS_PANELS, business)


def panels_of_home() -> list[Panel]:
    """Return the sections of the home page that have something to show, in the order of the setting."""
    return _filled(settings.HOME_PANELS)


def _filled(declared: Sequence[tuple[str, str]], *about: Business) -> list[Panel]:
    filled = [(template, _function(name)(*about)) for template, name in declared]
    return [Panel(template, context) for template, context in filled if context is not None]


def _function(name: str) -> Fill:
    function: Fill = import_string(name)
    return function
