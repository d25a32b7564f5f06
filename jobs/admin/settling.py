"""Retrying and resolving dead letters in the admin: asked first, with a dry run, then done and written to the log."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action

from jobs.admin.base import ReadOnlyAdmin, back_to_dashboard
from jobs.admin.verbs import RESOLVE, RETRY, SettleForm, Verb, told_reason
from jobs.models import DeadLetter

#: Parameters of a list's address that choose no rows.
_NOT_A_FILTER = {*IGNORED_PARAMS, PAGE_VAR, ERROR_FLAG} - {SEARCH_VAR}


class SettlingAdmin(ReadOnlyAdmin):
    """Has the actions, the page that asks first and the buttons of a single letter."""

    actions = ["retry_selected", "resolve_selected"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may have dead letters tried again."""
        return bool(request.user.has_perm(RETRY.permission))

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may put dead letters aside."""
        return bool(request.user.has_perm(RESOLVE.permission))

    @action(description=_("Retry"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        """Ask before the selected letters, or all that match the filter, are retried."""
        return self._ask_about_selected(request, RETRY, queryset)

    @action(description=_("Resolve"), permissions=["resolve"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        """Ask before the selected letters, or all that match the filter, are resolved."""
        return self._ask_about_selected(request, RESOLVE, queryset)

    def _ask_about_selected(self, request: HttpRequest, verb: Verb, queryset: QuerySet[DeadLetter]) -> HttpResponse:
        if forms.BooleanField(required=False).clean(request.POST.get("select_across")):
            return self._ask_about_all(request, verb, queryset)
        chosen = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
        return self._ask(request, verb, queryset, SettleForm(initial={"letters": chosen}), by_filter=False)

    def _ask_about_all(self, request: HttpRequest, verb: Verb, letters: QuerySet[DeadLetter]) -> HttpResponse:
        """Ask about all that match now: what comes between the question and the answer is left out."""
        up_to = letters.order_by().aggregate(Max("id"))["id__max"] or 0
        return self._ask(request, verb, letters.filter(id__lte=up_to), SettleForm(initial={"up_to": up_to}))

    def _ask(
        self,
        request: HttpRequest,
        verb: Verb,
        letters: QuerySet[DeadLetter],
        form: SettleForm,
        *,
        by_filter: bool = True,
    ) -> HttpResponse:
        """Show what would come of it; nothing is changed."""
        changed, reasons = verb.outlook(letters)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext(verb.title),
            "verb": verb,
            "form": form,
            "changed": changed,
            "button": gettext(verb.button) % {"count": changed},
            "reasons": {told_reason(reason): count for reason, count in sorted(reasons.items())},
            "skipped": sum(reasons.values()),
            "total": changed + sum(reasons.values()),
            "by_filter": by_filter,
            "filters": [(name, request.GET[name]) for name in request.GET if name not in _NOT_A_FILTER],
            "action": _with_filter(request, f"admin:deadletters_{verb.name}"),
            "back": _with_filter(request, "admin:jobs_deadletter_changelist"),
        }
        return TemplateResponse(request, "admin/jobs/settle.html", context)

    def settle_view(self, request: HttpRequest, verb: Verb) -> HttpResponse:
        """GET asks about all letters that match the address's filter; POST does what was asked about."""
        if not request.user.has_perm(verb.permission):
            raise PermissionDenied
        try:
            matching: QuerySet[DeadLetter] = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters as error:
            raise BadRequest("This is no filter of dead letters.") from error
        if request.method != "POST":
            return self._ask_about_all(request, verb, matching)
        form = SettleForm(request.POST)
        if not form.is_valid():
            raise BadRequest(form.errors.as_text())
        given = form.cleaned_data
        by_id = DeadLetter.objects.filter(pk__in=given["letters"])
        self._settle(
            request, verb, by_id if given["letters"] else matching.filter(id__lte=given["up_to"]), given["note"]
        )
        return back_to_dashboard(request) or HttpResponseRedirect(
            _with_filter(request, "admin:jobs_deadletter_changelist")
        )

    def settle_one_view(self, request: HttpRequest, letter_id: int, verb: Verb) -> HttpResponse:
        """Settle one letter and show it."""
        if not request.user.has_perm(verb.permission):
            raise PermissionDenied
        letter = get_object_or_404(DeadLetter, pk=letter_id)
        form = SettleForm({"letters": str(letter.pk), "note": request.POST.get("note", "")})
        if not form.is_valid():
            raise BadRequest(form.errors.as_text())
        self._settle(request, verb, DeadLetter.objects.filter(pk=letter.pk), form.cleaned_data["note"])
        return HttpResponseRedirect(reverse("admin:jobs_deadletter_change", args=[letter.pk]))

    def _settle(self, request: HttpRequest, verb: Verb, letters: QuerySet[DeadLetter], note: str) -> None:
        """Do it, with an entry in the admin's log for each letter, and say what came of it."""
        user = cast(User, request.user)
        entry = f"{verb.done}: {note}" if note else verb.done

        def written(settled: Any) -> None:
            LogEntry.objects.log_actions(user.pk, settled, CHANGE, entry)

        changed, reasons = verb.settle(letters, user.get_username(), note, written)
        why = ", ".join(
            gettext("%(count)s %(reason)s") % {"count": count, "reason": told_reason(reason)}
            for reason, count in sorted(reasons.items())
        )
        level = messages.SUCCESS if changed and not reasons else messages.WARNING
        text = gettext(verb.outcome) % {"changed": changed, "skipped": sum(reasons.values())}
        self.message_user(request, f"{text}: {why}." if why else f"{text}.", level)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that ask, and the buttons of a letter, which take POST only."""
        ask = self.admin_site.admin_view(self.settle_view)
        one = self.admin_site.admin_view(require_POST(self.settle_one_view))
        return [
            *(path(f"{verb.name}/", ask, {"verb": verb}, name=f"deadletters_{verb.name}") for verb in (RETRY, RESOLVE)),
            *(
                path(f"<int:letter_id>/{verb.name}/", one, {"verb": verb}, name=f"deadletter_{verb.name}")
                for verb in (RETRY, RESOLVE)
            ),
            *super().get_urls(),
        ]


def _with_filter(request: HttpRequest, name: str) -> str:
    """Return the address of a page that takes the same filter as this one; what is settled may leave fewer pages."""
    given = request.GET.copy()
    given.pop(PAGE_VAR, None)
    query = given.urlencode()
    return f"{reverse(name)}?{query}" if query else reverse(name)
