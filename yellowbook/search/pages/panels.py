"""Sections that other features add to the page of a business.

A feature adds one by a line in the setting `BUSINESS_PANELS`: its template, and the dotted name of a function that
takes the business and returns the template's context, or None where there is nothing to show. So the page knows no
feature by name, and no feature knows the page.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from yellowbook.directory.models import Business

Fill = Callable[[Business], dict[str, Any] | None]


class Panel(NamedTuple):
    """A section: what draws it, and with what."""

    template: str
    context: dict[str, Any]


def panels_of(business: Business) -> list[Panel]:
    """Return the sections that have something to show for a business, in the order of the setting."""
    filled = [(template, _function(name)(business)) for template, name in settings.BUSINESS_PANELS]
    return [Panel(template, context) for template, context in filled if context is not None]


def _function(name: str) -> Fill:
    function: Fill = import_string(name)
    return function
