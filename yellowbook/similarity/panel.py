"""Similar businesses on a business's pages: in the admin, and the public one."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from yellowbook.directory.models import Business
from yellowbook.directory.panels import Panel, register
from yellowbook.similarity.selectors import similar_to

#: Businesses that a public page shows.
SHOWN = 6


def _describe(request: HttpRequest, business: Business) -> dict[str, Any]:
    similar = similar_to(business.pk, limit=settings.SIMILAR_LIMIT)
    planned = similar.next_compute_at
    return {
        "similar": similar,
        "waits": planned is not None and planned <= timezone.now(),
        "may_compute": request.user.has_perm("directory.change_business"),
    }


def similar(business: Business) -> dict[str, Any] | None:
    """Return the section of a public page; None when there is nothing to show."""
    found = [each.business for each in similar_to(business.pk, limit=SHOWN).results]
    return {"title": gettext("Similar businesses"), "businesses": found} if found else None


register(Panel("similar", "admin/similarity/panel.html", _describe))
