"""What the admin pages of this project share."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

#: A list counts no further than this: counting a million rows takes longer than showing them.
COUNT_LIMIT = 10_000


def back_to_dashboard(request: HttpRequest) -> HttpResponseRedirect | None:
    """Return the way back for a button of the dashboard; None for one that stands elsewhere."""
    return HttpResponseRedirect(reverse("admin:index")) if request.POST.get("back") == "dashboard" else None


class PageChangeList(ChangeList):
    """Describes only the rows of the page (`DescribedPages.described`), not all that it is chosen from."""

    def get_results(self, request: HttpRequest) -> None:
        """Choose the rows of the page by their keys, then read them with all that it shows of them."""
        every: QuerySet[Any] = vars(self)["queryset"]
        self.queryset = every.select_related(None).only("pk")
        super().get_results(request)
        self.queryset = every
        chosen: Any = vars(self)["result_list"]
        ids = [row.pk for row in chosen]
        rows = self.model_admin.described(self.model._default_manager.filter(pk__in=ids)).in_bulk()
        self.result_list = [rows[pk] for pk in ids if pk in rows]


class CappedPaginator(Paginator[Any]):
    """Counts up to `COUNT_LIMIT` rows and offers no pages beyond: filters lead to old rows."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most `COUNT_LIMIT`."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return int(rows.order_by()[:COUNT_LIMIT].count())
        return min(len(rows), COUNT_LIMIT)


class ListedAdmin(ModelAdmin):
    """A list of many rows."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50


class DescribedPages(ListedAdmin):
    """A list of rows of which more is shown than their columns, too dear to be read for all that match."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the class of the list."""
        return PageChangeList

    def described(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return rows of one page with what the list shows of each; every such list says how."""
        raise NotImplementedError


class ReadOnlyAdmin(ListedAdmin):
    """Rows that the system writes: to be looked at."""

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
