"""Deliveries in the admin: what was sent to whom, every attempt, and sending one again."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import AllValuesFieldListFilter
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from jobs.actor import Actor
from jobs.admin.base import ReadOnlyAdmin
from jobs.states import Source
from yellowbook.notifications.filters import OwnerFilter
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.services import replay

State = Delivery.State
#: The colour of each state; its name is always written out too.
STATE_COLOURS = {State.WAITING.value: "info", State.SENT.value: "success", State.FAILED.value: "danger"}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries, the newest first."""

    list_display = [
        "shown_state",
        "event",
        "owner",
        "channel",
        "attempts",
        "last_status",
        "shown_error",
        "created_at",
        "sent_at",
    ]
    list_display_links = ["shown_state", "event"]
    list_filter = [("event", AllValuesFieldListFilter), "channel", "state", OwnerFilter]
    search_fields = ["id"]
    search_help_text = _("An id, or the beginning of an owner, an event or a subject")
    ordering = ["-created_at", "-pk"]
    change_form_outer_before_template = "admin/notifications/delivery.html"
    fieldsets = [(_("Times"), {"fields": ["occurred_at", "created_at", "sent_at"]})]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Find by id exactly, that of a repeated one too; else by how owner, event or subject begin."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            wanted = UUID(term)
        except ValueError:
            found = [queryset.filter(**{f"{name}__istartswith": term}) for name in ("owner", "event", "subject")]
            return found[0] | found[1] | found[2], False
        return queryset.filter(pk=wanted) | queryset.filter(repeats=wanted), False

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, delivery: Delivery) -> tuple[str, str]:
        """Return the state, coloured."""
        return delivery.state, delivery.get_state_display()

    @display(description=_("last error"))
    def shown_error(self, delivery: Delivery) -> str:
        """Return the beginning of the last error."""
        return delivery.last_error[:100] or "-"

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may send deliveries again."""
        return request.user.has_perm("notifications.replay_delivery")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a delivery with its message, every attempt, and the button to send it again."""
        context = dict(extra_context or {})
        delivery: Delivery | None = self.get_object(request, object_id)
        if delivery is not None:
            context |= {
                "title": f"{delivery.event}: {delivery.owner}",
                "delivery": delivery,
                "payload": json.dumps(delivery.payload, indent=2, ensure_ascii=False),
                "log": list(delivery.log.all()),
                "repetitions": list(delivery.repetitions.order_by("created_at")),
                "can_replay": self.has_replay_permission(request),
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        """Add the button's address, which takes POST only."""
        again = self.admin_site.admin_view(require_POST(self.replay_view))
        return [path("<uuid:delivery_id>/replay/", again, name="delivery_replay"), *super().get_urls()]

    def replay_view(self, request: HttpRequest, delivery_id: UUID) -> HttpResponse:
        """Send a delivery again and show the new one."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        delivery = get_object_or_404(Delivery, pk=delivery_id)
        with transaction.atomic():
            again = replay(delivery, actor=Actor(request.user.get_username(), Source.ADMIN))
            self.log_change(request, delivery, f"Sent again as {again.pk}.")
        self.message_user(request, gettext("It is on its way again, as this delivery."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:notifications_delivery_change", args=[again.pk]))
