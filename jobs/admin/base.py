"""What the admin pages of this project share."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

#: A list counts no further than this: counting a million rows takes longer than showing them.
COUNT_LIMIT = 10_000


def back_to_dashboard(request: HttpRequest) -> HttpResponseRedirect | None:
    """Return the way back for a button of the dashboard; None for one that stands elsewhere."""
    return HttpResponseRedirect(reverse("admin:index")) if request.POST.get("back") == "dashboard" else None


class CappedPaginator(Paginator[Any]):
    """Counts up to `COUNT_LIMIT` rows and offers no pages beyond: filters lead to old rows."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most `COUNT_LIMIT`."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return int(rows.order_by()[:COUNT_LIMIT].count())
        return min(len(rows), COUNT_LIMIT)


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the system writes: to be looked at."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    actions_on_top = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody edits rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes rows by hand."""
        return False
