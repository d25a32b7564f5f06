"""Dead letters in the admin: list, page, causes."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import action, display
from unfold.views import ChangeList

from jobs import deadletters
from jobs.admin.asking import AskingAdmin
from jobs.admin.confirming import ConfirmForm
from jobs.admin.export import FORMATS, exported
from jobs.admin.filters import CauseFilter, ErrorClassFilter, KindFilter, RunFilter, StateFilter
from jobs.admin.jobs import subject_url
from jobs.bulk.actions import Asked
from jobs.bulk.letters import RESOLVE_LETTERS, RETRY_LETTERS
from jobs.models import DeadLetter
from jobs.states import Source

Resolution = DeadLetter.Resolution

#: Causes that their page shows: beyond these, the rare ones are found by filters.
MOST_CAUSES = 100


class DeadLetterList(ChangeList):
    """Rows without their stacks and payloads."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[DeadLetter]:
        """Return what the list shows."""
        return deadletters.listed(super().get_queryset(request, exclude_parameters))


@admin.register(DeadLetter)
class DeadLetterAdmin(AskingAdmin):
    """Dead letters: the unresolved ones first, the newest of them on top."""

    list_display = [
        "shown_subject",
        "shown_state",
        "kind",
        "shown_error_class",
        "shown_reason",
        "attempts",
        "last_attempt_at",
    ]
    list_display_links = ["shown_subject"]
    list_filter = [StateFilter, KindFilter, ErrorClassFilter, CauseFilter, RunFilter, "created_at"]
    list_before_template = "admin/jobs/deadletters.html"
    search_fields = ["id"]
    search_help_text = _("A job's or a subject's id, the beginning of a subject's name, or any part of the reason")
    ordering = [F("resolved_at").desc(nulls_first=True), "-created_at"]
    change_form_outer_before_template = "admin/jobs/deadletter.html"
    actions = ["retry_selected", "resolve_selected"]
    asks = {"retry": RETRY_LETTERS, "resolve": RESOLVE_LETTERS}
    asks_prefix = "deadletters"

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may have dead letters tried again."""
        return bool(request.user.has_perm(RETRY_LETTERS.permission))

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may put dead letters aside."""
        return bool(request.user.has_perm(RESOLVE_LETTERS.permission))

    @action(description=_("Retry"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        """Ask before the selected letters, or all that match the filter, are retried."""
        return self.ask_about_selected(request, "retry", queryset)

    @action(description=_("Resolve"), permissions=["resolve"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        """Ask before the selected letters, or all that match the filter, are resolved."""
        return self.ask_about_selected(request, "resolve", queryset)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DeadLetterList]:
        """Return the list without long columns."""
        return DeadLetterList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        """Find by id exactly, else by the name that the subject had, or by the reason."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            wanted = UUID(term)
        except ValueError:
            named = queryset.filter(payload__metadata__original_name__istartswith=term)
            return named | queryset.filter(failure_reason__icontains=term), False
        return queryset.filter(job_id=wanted) | queryset.filter(subject=str(wanted)), False

    def get_fieldsets(self, request: HttpRequest, obj: DeadLetter | None = None) -> Any:
        """Return the times, and who settled it once somebody has."""
        times = (_("Times"), {"fields": ["enqueued_at", "last_attempt_at", "created_at"]})
        settled = (_("Settled"), {"fields": ["resolution", "resolved_at", "resolved_by", "note"]})
        return [settled, times] if obj and obj.resolved_at else [times]

    @display(
        description=_("state"),
        ordering="resolution",
        label={"unresolved": "danger", Resolution.RETRIED: "info", Resolution.RESOLVED: "success"},
    )
    def shown_state(self, letter: DeadLetter) -> tuple[str, str]:
        """Return whether and how it was settled, coloured."""
        return letter.resolution or "unresolved", gettext(letter.resolution or "unresolved")

    @display(description=_("error class"), ordering="error_class")
    def shown_error_class(self, letter: DeadLetter) -> str:
        """Return the failure class."""
        return gettext(letter.error_class)

    @display(description=_("subject"))
    def shown_subject(self, letter: Any) -> str:
        """Return the subject's name as it was."""
        return str(letter.original_name or letter.subject)

    @display(description=_("reason"))
    def shown_reason(self, letter: Any) -> str:
        """Return the beginning of the reason."""
        reason: str = letter.clipped
        return f"{reason[:-1]}…" if len(reason) == deadletters.CLIP else reason

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; a POST is an action, and these are for those who may steer."""
        may = self._may(request)
        if request.method == "POST" and not any(may.values()):
            raise PermissionDenied
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **may})
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a letter with what the job was asked to do, how it failed, and the buttons that its state allows."""
        context = dict(extra_context or {})
        letter: DeadLetter | None = self.get_object(request, object_id)
        if letter is not None:
            same_subject = DeadLetter.objects.filter(kind=letter.kind, subject=letter.subject)
            name = letter.payload.get("metadata", {}).get("original_name") or letter.subject
            context |= {
                "title": f"{letter.kind}: {name}",
                "letter": letter,
                "name": name,
                "payload": json.dumps(letter.payload, indent=2, ensure_ascii=False),
                "attempts": list(deadletters.attempts_of(letter)),
                "others": same_subject.exclude(pk=letter.pk).count(),
                "subject_url": subject_url(letter),
                **{name: allowed and letter.resolved_at is None for name, allowed in self._may(request).items()},
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def _may(self, request: HttpRequest) -> dict[str, bool]:
        """Tell the templates what the user may do."""
        return {"can_retry": self.has_retry_permission(request), "can_resolve": self.has_resolve_permission(request)}

    def causes_view(self, request: HttpRequest) -> HttpResponse:
        """Show what is unsettled, grouped by cause."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = deadletters.causes(MOST_CAUSES + 1)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Dead letters by cause"),
            "causes": found[:MOST_CAUSES],
            "more": len(found) > MOST_CAUSES,
            "most": MOST_CAUSES,
            **self._may(request),
        }
        return TemplateResponse(request, "admin/jobs/causes.html", context)

    def export_view(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """Return all letters that match the address's filter as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return exported(self.get_changelist_instance(request).queryset, name)
        except IncorrectLookupParameters as error:
            raise BadRequest("This is no filter of dead letters.") from error

    def settle_one_view(self, request: HttpRequest, letter_id: int, name: str) -> HttpResponse:
        """Settle one letter and show it."""
        asked = self.asks[name]
        if not request.user.has_perm(asked.permission):
            raise PermissionDenied
        letter = get_object_or_404(DeadLetter, pk=letter_id)
        form = ConfirmForm(asked, {"chosen": str(letter.pk), "note": request.POST.get("note", "")})
        if not form.is_valid():
            raise BadRequest(form.errors.as_text())
        who = Asked(request.user.get_username(), Source.ADMIN, form.cleaned_data["note"])
        self.do_now(request, asked, DeadLetter.objects.filter(pk=letter.pk), who)
        return HttpResponseRedirect(reverse("admin:jobs_deadletter_change", args=[letter.pk]))

    def get_urls(self) -> list[URLPattern]:
        """Add the page of causes, the files, and the buttons of a letter, which take POST only."""
        causes = self.admin_site.admin_view(require_safe(self.causes_view))
        export = self.admin_site.admin_view(require_safe(self.export_view))
        one = self.admin_site.admin_view(require_POST(self.settle_one_view))
        return [
            *(path(f"<int:letter_id>/{name}/", one, {"name": name}, name=f"deadletter_{name}") for name in self.asks),
            path("causes/", causes, name="deadletters_causes"),
            *(path(f"export.{name}", export, {"name": name}, name=f"deadletters_{name}") for name in FORMATS),
            *super().get_urls(),
        ]
