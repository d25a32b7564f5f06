"""Vectors and provider usage in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, Case, QuerySet, When
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from embeddings.current import current_model
from embeddings.models import Embedding, ProviderUsage
from jobs.admin.base import ReadOnlyAdmin
from jobs.admin.filters import StoredWordFilter


@admin.register(Embedding)
class EmbeddingAdmin(ReadOnlyAdmin):
    """Vectors, the newest first."""

    list_display = ["business", "shown_model", "provider", "task_type", "truncated", "created_at"]
    list_filter = ["model", "provider", "truncated"]
    search_fields = ["business__name"]
    ordering = ["-id"]
    exclude = ["vector"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Embedding]:
        """Return vectors with their businesses, without the numbers; `serves` tells whether their model does."""
        rows: QuerySet[Embedding] = super().get_queryset(request)
        serves = Case(When(model=current_model(), then=True), default=False, output_field=BooleanField())
        return rows.select_related("business").defer("vector").annotate(serves=serves)

    @display(description=_("model"), ordering="model", label={"current": "success", "other": "warning"})
    def shown_model(self, embedding: Any) -> tuple[str, str]:
        """Return the model, coloured by whether it is the one in use."""
        return ("current" if embedding.serves else "other"), embedding.model


@admin.register(ProviderUsage)
class ProviderUsageAdmin(ReadOnlyAdmin):
    """What was asked of the providers, day by day."""

    list_display = ["day", "provider", "model", "shown_outcome", "calls", "texts", "shown_seconds"]
    list_filter = ["provider", ("outcome", StoredWordFilter)]
    ordering = ["-day", "provider"]

    @display(description=_("outcome"), ordering="outcome")
    def shown_outcome(self, usage: ProviderUsage) -> str:
        """Return `ok`, or the failure class."""
        return gettext(usage.outcome)

    @display(description=_("mean call"))
    def shown_seconds(self, usage: ProviderUsage) -> str:
        """Return the mean duration of a call."""
        if not usage.calls:
            return "-"
        return gettext("%(number)s ms") % {"number": f"{1000 * usage.seconds / usage.calls:,.0f}"}
