"""Similar businesses in the admin: a list to look at, and the button on a business's page."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display

from jobs.actor import current_actor
from jobs.admin.base import ReadOnlyAdmin
from yellowbook.directory.models import Business
from yellowbook.similarity import services
from yellowbook.similarity.models import Similarity


@admin.register(Similarity)
class SimilarityAdmin(ReadOnlyAdmin):
    """Computed lists; a business's page shows its own with names."""

    list_display = ["business", "shown_number", "candidates", "model", "computed_at", "next_compute_at"]
    list_filter = ["model"]
    search_fields = ["business__name"]
    ordering = ["pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Similarity]:
        """Return lists with their businesses."""
        rows: QuerySet[Similarity] = super().get_queryset(request)
        return rows.select_related("business")

    @display(description=gettext_lazy("similar businesses"))
    def shown_number(self, similarity: Similarity) -> int:
        """Return how many there are."""
        return len(similarity.neighbours)

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the button on a business's page; it takes POST only."""
        compute = self.admin_site.admin_view(require_POST(self.compute_view))
        return [path("<uuid:business_id>/compute/", compute, name="similarity_compute"), *super().get_urls()]

    def compute_view(self, request: HttpRequest, business_id: UUID) -> HttpResponseRedirect:
        """Have one business's list computed before others, and show the business again."""
        if not request.user.has_perm("directory.change_business"):
            raise PermissionDenied
        business = get_object_or_404(Business, pk=business_id)
        if services.compute_now(business.pk, actor=current_actor()) is None:
            self.message_user(request, _("The business has no vector yet: embed it first."), messages.WARNING)
        else:
            self.log_change(request, business, "compute similar businesses")
            self.message_user(request, _("Its similar businesses are computed in the background."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:directory_business_change", args=[business_id]))
