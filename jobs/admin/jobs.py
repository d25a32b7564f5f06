"""Jobs in the admin: list, page, cancel, retry."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action, display

from jobs import lifecycle
from jobs.actor import Actor
from jobs.admin.asking import AskingAdmin
from jobs.admin.base import DescribedPages
from jobs.admin.filters import ErrorClassFilter, KindFilter, WordFilter
from jobs.bulk.job_actions import CANCEL_JOBS, RETRY_JOBS
from jobs.kinds import UnknownKind, get_kind
from jobs.lifecycle import StateConflict
from jobs.models import DeadLetter, JobExecution
from jobs.payload import payload
from jobs.selectors import progress_of, with_progress
from jobs.states import WAITING, Priority, Source, Status
from jobs.story import after, before, ended_with, story
from jobs.wake import wake

#: The colour of each state; its name is always written out too.
STATUS_COLOURS = {
    Status.QUEUED: "info",
    Status.RUNNING: "primary",
    Status.RETRYING: "warning",
    Status.SUCCEEDED: "success",
    Status.DEAD: "danger",
    Status.CANCELLED: "default",
}


def subject_url(job: JobExecution | DeadLetter) -> str:
    """Return the admin page of the subject of a job or a dead letter; empty when it has none."""
    try:
        app, _, model = get_kind(job.kind).subject_model.lower().partition(".")
        return reverse(f"admin:{app}_{model}_change", args=[job.subject]) if model else ""
    except (UnknownKind, NoReverseMatch):
        return ""


@admin.register(JobExecution)
class JobAdmin(AskingAdmin, DescribedPages):
    """Jobs, newest first."""

    list_display = [
        "shown_status",
        "shown_subject",
        "kind",
        "shown_operation",
        "shown_progress",
        "shown_outcome",
        "created_at",
        "shown_duration",
    ]
    list_display_links = ["shown_status"]
    list_filter = ["status", KindFilter, ("priority", WordFilter), "operation", ErrorClassFilter]
    search_fields = ["id"]
    search_help_text = _("A job's or a business's id, or the beginning of a business's name")
    ordering = ["-created_at"]
    list_before_template = "admin/jobs/jobs.html"
    actions = ["cancel_selected", "retry_selected"]
    asks = {"cancel": CANCEL_JOBS, "retry": RETRY_JOBS}
    asks_prefix = "jobs"
    change_form_outer_before_template = "admin/jobs/job.html"
    fieldsets = [
        (
            pgettext_lazy("one of many", "Job"),
            {"fields": ["id", "kind", "subject", "operation", "shown_priority", "run", "worker"]},
        ),
        (
            _("Outcome"),
            {"fields": ["shown_result", "shown_error_class", "error", "attempt", "max_retries", "deliveries"]},
        ),
        (_("Times"), {"fields": ["created_at", "started_at", "finished_at", "next_attempt_at"]}),
    ]

    def described(self, rows: QuerySet[JobExecution]) -> QuerySet[JobExecution]:
        """Return jobs with the progress of the batches that run."""
        return with_progress(rows)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> JobExecution | None:
        """Return one job, with its progress too."""
        job: JobExecution | None = super().get_object(request, object_id, from_field)
        return None if job is None else with_progress(JobExecution.objects.filter(pk=job.pk)).first()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[JobExecution], search_term: str
    ) -> tuple[QuerySet[JobExecution], bool]:
        """Find by id exactly, else by the name that the subject had when the job was made."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            wanted = UUID(term)
        except ValueError:
            return queryset.filter(metadata__original_name__istartswith=term), False
        return queryset.filter(id=wanted) | queryset.filter(subject=str(wanted)), False

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, job: JobExecution) -> tuple[str, str]:
        """Return the state, coloured."""
        return job.status, job.get_status_display()

    @display(description=_("subject"))
    def shown_subject(self, job: JobExecution) -> SafeString | str:
        """Return the subject's name as it was, linked to its page."""
        name = str(job.metadata.get("original_name") or job.subject)
        url = subject_url(job)
        return format_html('<a href="{}">{}</a>', url, name) if url else name

    @display(description=_("operation"), ordering="operation")
    def shown_operation(self, job: JobExecution) -> str:
        """Return what made the job necessary and how urgent it is."""
        return f"{job.get_operation_display()}, {gettext(Priority(job.priority).label)}"

    @display(description=_("priority"), ordering="priority")
    def shown_priority(self, job: JobExecution) -> str:
        """Return the priority's name."""
        return gettext(Priority(job.priority).label)

    @display(description=_("progress"))
    def shown_progress(self, job: JobExecution) -> SafeString:
        """Return a bar that also says the number."""
        value = progress_of(job)
        return format_html('<progress max="100" value="{}">{} %</progress> {} %', value, value, value)

    @display(description=_("outcome"))
    def shown_outcome(self, job: JobExecution) -> str:
        """Return the result, or the class of the last failure and the attempt."""
        if job.result or not job.error_class:
            return gettext(job.result) or "-"
        failed = {"error_class": gettext(job.error_class), "number": job.attempt}
        return gettext("%(error_class)s, attempt %(number)s") % failed

    @display(description=_("result"))
    def shown_result(self, job: JobExecution) -> str:
        """Return how it ended."""
        return gettext(job.result) or "-"

    @display(description=_("error class"))
    def shown_error_class(self, job: JobExecution) -> str:
        """Return the class of the last failure."""
        return gettext(job.error_class) or "-"

    @display(description=_("took"))
    def shown_duration(self, job: JobExecution) -> str:
        """Return the time from claim to end."""
        if job.started_at is None or job.finished_at is None:
            return "-"
        milliseconds = (job.finished_at - job.started_at).total_seconds() * 1000
        return gettext("%(number)s ms") % {"number": f"{milliseconds:,.0f}"}

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may call jobs off."""
        return request.user.has_perm("jobs.cancel_job")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may have jobs tried again."""
        return request.user.has_perm("jobs.retry_job")

    @action(description=_("Cancel those that wait"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> HttpResponse:
        """Ask before the selected jobs, or all that match the filter, are cancelled."""
        return self.ask_about_selected(request, "cancel", queryset)

    @action(description=_("Retry those that are dead"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[JobExecution]) -> HttpResponse:
        """Ask before the selected jobs, or all that match the filter, are retried."""
        return self.ask_about_selected(request, "retry", queryset)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with what may be done to all that match its filter."""
        may = {
            "can_cancel": self.has_cancel_permission(request),
            "can_retry": self.has_retry_permission(request),
        }
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **may})
        return response

    def _retry(self, request: HttpRequest, job: JobExecution) -> None:
        lifecycle.retry(job.id, actor=Actor(request.user.get_username(), Source.ADMIN))
        wake(job.kind)

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons' addresses; both take POST only."""
        return [
            path(
                "<uuid:job_id>/cancel/", self.admin_site.admin_view(require_POST(self.cancel_view)), name="job_cancel"
            ),
            path("<uuid:job_id>/retry/", self.admin_site.admin_view(require_POST(self.retry_view)), name="job_retry"),
            *super().get_urls(),
        ]

    def cancel_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Cancel one job and show it."""
        by = request.user.get_username()
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        return self._act(
            request, job_id, lambda job: lifecycle.cancel(job.id, by=by), gettext_noop("The job is cancelled.")
        )

    def retry_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Retry one job and show it."""
        if not self.has_retry_permission(request):
            raise PermissionDenied
        return self._act(request, job_id, lambda job: self._retry(request, job), gettext_noop("The job waits again."))

    def _act(
        self, request: HttpRequest, job_id: UUID, act: Callable[[JobExecution], None], done: str
    ) -> HttpResponseRedirect:
        job = get_object_or_404(JobExecution, id=job_id)
        try:
            act(job)
        except StateConflict as conflict:
            self.message_user(request, str(conflict), messages.WARNING)
        else:
            self.log_change(request, job, f"{done} It was {job.status}.")
            self.message_user(request, gettext(done), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:jobs_jobexecution_change", args=[job_id]))

    def _told(self, request: HttpRequest, job: JobExecution) -> dict[str, Any]:
        """Return what happened to a job, for people and for copying."""
        attempts = list(job.attempts.all())
        url = request.build_absolute_uri(reverse("job-detail", args=[job.id]))
        return {
            "story": story(job, attempts),
            "attempts": attempts,
            "letters": list(job.dead_letters.order_by("id")),
            "earlier": list(before(job)),
            "later": list(after(job)),
            "ended_with": ended_with(job),
            "payload": json.dumps(payload(job), indent=2, ensure_ascii=False),
            "curl": f"curl -H 'Authorization: Bearer TOKEN' {url}",
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a job with its steps, failed attempts and the buttons that its state allows."""
        context = dict(extra_context or {})
        job = self.get_object(request, object_id)
        if job is not None:
            context |= {
                "title": f"{job.kind}: {job.metadata.get('original_name') or job.subject}",
                "job": job,
                "progress": progress_of(job),
                **self._told(request, job),
                "subject_url": subject_url(job),
                "can_cancel": job.status in WAITING and self.has_cancel_permission(request),
                "can_retry": job.status == Status.DEAD and self.has_retry_permission(request),
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response
