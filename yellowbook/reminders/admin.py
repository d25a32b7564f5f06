"""Occasions in the admin, to edit; their reminders and what came of each, to look at."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from jobs.admin.base import ListedAdmin, ReadOnlyAdmin
from yellowbook.reminders.models import DeliveryRecord, Occasion, Schedule
from yellowbook.reminders.services import delete_occasion, save_occasion

State = Schedule.State
#: The colour of each state and outcome; its name is always written out too.
STATE_COLOURS = {
    **dict.fromkeys((State.WAITING.value, State.QUEUED.value), "info"),
    **dict.fromkeys((State.DELAYED.value, State.SKIPPED.value, State.CANCELLED.value), "warning"),
    State.SENT.value: "success",
    State.FAILED.value: "danger",
}


@admin.register(Occasion)
class OccasionAdmin(ListedAdmin):
    """Occasions, the newest first."""

    list_display = ["title", "owner", "date", "time", "time_zone", "recurrence", "plan_at"]
    list_filter = ["recurrence"]
    list_select_related = ["owner"]
    search_fields = ["title", "owner__username"]
    ordering = ["-created_at", "-pk"]
    autocomplete_fields = ["owner", "business"]
    readonly_fields = ["plan_at", "created_at"]

    def get_deleted_objects(
        self, objs: QuerySet[Occasion] | Sequence[Occasion], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Return what goes with occasions. Their reminders do, though nobody may delete one alone."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        along = {str(model._meta.verbose_name) for model in (Schedule, DeliveryRecord)}
        return deleted, counts, {each for each in needed if str(each) not in along}, protected

    def save_model(self, request: HttpRequest, obj: Occasion, form: Any, change: bool) -> None:
        """Store it with its reminders."""
        save_occasion(obj)

    def delete_model(self, request: HttpRequest, obj: Occasion) -> None:
        """Delete it with its reminders."""
        delete_occasion(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Occasion]) -> None:
        """Delete several, all or none."""
        with transaction.atomic():
            for occasion in queryset:
                delete_occasion(occasion)


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Reminders, the last one due first."""

    list_display = ["shown_state", "occasion", "occurrence", "offset", "channel", "due_at", "shown_reason"]
    list_filter = ["state", "channel"]
    list_select_related = ["occasion"]
    search_fields = ["occasion__title"]
    ordering = ["-due_at", "-pk"]
    exclude = ["state", "reason"]
    readonly_fields = ["shown_state", "shown_reason"]

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, schedule: Schedule) -> tuple[str, str]:
        """Return the state, coloured."""
        return schedule.state, schedule.get_state_display()

    @display(description=_("reason"))
    def shown_reason(self, schedule: Schedule) -> str:
        """Return the reason in the reader's language, where it is one of ours."""
        return gettext(schedule.reason) if schedule.reason else "-"


@admin.register(DeliveryRecord)
class DeliveryRecordAdmin(ReadOnlyAdmin):
    """Records of deliveries, the newest first."""

    list_display = ["shown_outcome", "schedule", "attempts", "last_status", "last_error", "first_attempt_at", "sent_at"]
    list_filter = ["outcome"]
    list_select_related = ["schedule"]
    ordering = ["-first_attempt_at", "-pk"]

    @display(description=_("outcome"), ordering="outcome", label=STATE_COLOURS)
    def shown_outcome(self, record: DeliveryRecord) -> tuple[str, str]:
        """Return the outcome, coloured."""
        return record.outcome, record.get_outcome_display()
