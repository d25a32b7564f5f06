"""Similar businesses on a business's page in the admin."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from yellowbook.directory.models import Business
from yellowbook.directory.panels import Panel, register
from yellowbook.similarity.selectors import similar_to


def _describe(request: HttpRequest, business: Business) -> dict[str, Any]:
    similar = similar_to(business.pk, limit=settings.SIMILAR_LIMIT)
    planned = similar.next_compute_at
    return {
        "similar": similar,
        "waits": planned is not None and planned <= timezone.now(),
        "may_compute": request.user.has_perm("directory.change_business"),
    }


register(Panel("similar", "admin/similarity/panel.html", _describe))
