"""What is known of a business on its pages: in the admin, and the public one."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext

from yellowbook.directory.descriptions import descriptions, label_of
from yellowbook.directory.models import Business
from yellowbook.directory.panels import Panel, register
from yellowbook.enrichment.hours import DAYS, Hours
from yellowbook.enrichment.making import switched_off
from yellowbook.enrichment.selectors import Known, known, standing_of


def _describe(request: HttpRequest, business: Business) -> dict[str, Any]:
    found, standing = known(business.pk), standing_of(business)
    return {
        "known": found,
        "tags": [label_of(tag) for tag in found.tags],
        "made_tags": [label_of(tag) for tag in found.made_tags],
        "typed": ", ".join(label_of(tag) for tag in found.editor.tags) if found.editor else "",
        "hours": _hours(found),
        "standing": standing,
        "state": gettext(standing.state),
        "why": gettext(standing.why) if standing.why else "",
        "may_change": request.user.has_perm("directory.change_business"),
        "may_enrich": not switched_off(),
    }


def described(business: Business) -> dict[str, Any] | None:
    """Return the section of a public page; None when there is nothing to show."""
    pk: UUID = business.pk
    told = descriptions([pk]).get(pk)
    hours = _hours(known(pk))
    if told is None or not (told.tags or told.summary or hours):
        return None
    return {
        "title": gettext("At a glance"),
        "summary": told.summary,
        "tags": [(tag, label_of(tag)) for tag in told.tags],
        "hours": hours,
    }


def _hours(found: Known) -> list[tuple[Any, list[str]]]:
    """Return each weekday's name and spans, none on days when it is closed; empty where nothing is known."""
    hours: Hours | None = found.enrichment.opening_hours if found.enrichment else None
    if hours is None:
        return []
    return [(WEEKDAYS[place], ["–".join(span) for span in hours.get(day, [])]) for place, day in enumerate(DAYS)]


register(Panel("enrichment", "admin/enrichment/panel.html", _describe))
