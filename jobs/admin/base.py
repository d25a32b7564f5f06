"""What the admin pages of this project share."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

#: A list counts no further than this: counting a million rows takes longer than showing them.
COUNT_LIMIT = 10_000


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

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Cancelling, retrying, pausing: whoever has the permission to change such rows may steer them."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes rows by hand."""
        return False
