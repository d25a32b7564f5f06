"""Filters of the admin's list of deliveries."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from yellowbook.notifications.models import Delivery


class OwnerFilter(SimpleListFilter):
    """One owner, of whom there may be many: chosen on a delivery's page, and shown here so that it can be taken off."""

    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the owner asked for; without choices Django would not apply the filter at all."""
        value = self.value()
        return [] if value is None else [(value, value)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Narrow to the owner's deliveries."""
        value = self.value()
        return queryset if value is None else queryset.filter(owner=value)
