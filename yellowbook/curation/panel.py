"""Collections on the public home page."""

from typing import Any

from django.utils.translation import get_language

from yellowbook.curation.selectors import Shown, collections_of, current_sets
from yellowbook.curation.surfaces import HOME


def collections_of_home() -> dict[str, Any] | None:
    """Return the sections of the home page: today's collections, or yesterday's; None when there is nothing to show."""
    shown = collections_of(current_sets(HOME))
    return {"collections": [_section(each) for each in shown]} if shown else None


def _section(shown: Shown) -> dict[str, Any]:
    is_mongolian = get_language() == "mn"
    title = shown.collection.title_mn if is_mongolian else shown.collection.title_en
    return {"title": title, "businesses": shown.businesses}
