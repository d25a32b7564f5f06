"""Doing one thing to many rows of a list: asked first, with a dry run, then done at once or in the background."""

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from jobs.admin.base import ReadOnlyAdmin, back_to_dashboard
from jobs.admin.confirming import ConfirmForm
from jobs.bulk import at_once
from jobs.bulk.actions import Action, Asked, Outcome, Written
from jobs.bulk.criteria import by_ids, door
from jobs.bulk.progress import told_parameter, told_value
from jobs.bulk.reasons import told_reason
from jobs.bulk.start import start
from jobs.states import Source

#: Parameters of a list's address that choose no rows.
_NOT_A_FILTER = {*IGNORED_PARAMS, PAGE_VAR, ERROR_FLAG} - {SEARCH_VAR}
#: The door of criteria that are the parameters of a list's address: {name: [value, ...]}.
DOOR = "admin"


class AskingAdmin(ReadOnlyAdmin):
    """A list with actions on selected rows, or on all that match its filter, and the page that asks first."""

    #: The actions by the last part of their address.
    asks: ClassVar[Mapping[str, Action]]
    #: What the names of the addresses begin with.
    asks_prefix: ClassVar[str]

    def ask_about_selected(self, request: HttpRequest, name: str, queryset: QuerySet[Any]) -> HttpResponse:
        """Ask before something is done to the selected rows or, if the person chose so, to all that match."""
        if forms.BooleanField(required=False).clean(request.POST.get("select_across")):
            return self._ask_about_all(request, name, queryset)
        chosen = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
        return self._ask(request, name, queryset, {"chosen": chosen}, by_filter=False)

    def _ask_about_all(self, request: HttpRequest, name: str, rows: QuerySet[Any]) -> HttpResponse:
        """Ask about all that match now: what comes between the question and the answer is left out."""
        keyset = self.asks[name].keyset
        up_to = keyset.newest(rows)
        # All of them are before the cut-off: counted without it, an index alone may tell.
        return self._ask(request, name, rows, {"up_to": up_to}, by_filter=True)

    def _ask(
        self, request: HttpRequest, name: str, rows: QuerySet[Any], given: dict[str, str], *, by_filter: bool
    ) -> HttpResponse:
        """Show what would come of it; nothing is changed."""
        asked = self.asks[name]
        outlook = asked.outlook(rows)
        total = outlook.done + outlook.skipped
        filters = [
            (told_parameter(each), told_value(each, request.GET[each]))
            for each in request.GET
            if each not in _NOT_A_FILTER
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _(asked.words.title),
            "asked": asked,
            "form": ConfirmForm(asked, initial=given),
            "changed": outlook.done,
            "button": _(asked.words.button) % {"count": f"{outlook.done:,}"},
            "reasons": {told_reason(reason): count for reason, count in sorted(outlook.reasons.items())},
            "skipped": outlook.skipped,
            "total": total,
            "chosen": _chosen(asked, total, by_filter=by_filter, filtered=bool(filters)),
            "at_once": at_once.AT_ONCE,
            "in_background": total > at_once.AT_ONCE,
            "by_filter": by_filter,
            "filters": filters,
            "action": _with_filter(request, f"admin:{self.asks_prefix}_{name}"),
            "back": _with_filter(request, self._list()),
        }
        return TemplateResponse(request, "admin/jobs/ask.html", context)

    def ask_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """GET asks about all rows that match the address's filter; POST does what was asked about."""
        asked = self.asks[name]
        if not request.user.has_perm(asked.permission):
            raise PermissionDenied
        try:
            matching = _rows(self, request)
        except IncorrectLookupParameters as error:
            raise BadRequest("This is no filter of this list.") from error
        if request.method != "POST":
            return self._ask_about_all(request, name, matching)
        form = ConfirmForm(asked, request.POST)
        if not form.is_valid():
            raise BadRequest(form.errors.as_text())
        given = form.cleaned_data
        if given["chosen"]:
            rows, criteria = self.model._default_manager.filter(pk__in=given["chosen"]), by_ids(given["chosen"])
        else:
            rows, criteria = asked.keyset.until(matching, given["up_to"]), {DOOR: _filter_of(request)}
        who = Asked(request.user.get_username(), Source.ADMIN, given["note"])
        if given["per_second"] or at_once.is_much(rows):
            up_to = "" if given["chosen"] else given["up_to"]
            bulk = start(asked, criteria, rows, who, up_to=up_to, per_second=given["per_second"])
            self.message_user(request, _("Under way in the background: this page may be closed."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:jobs_bulkaction_change", args=[bulk.id]))
        self.do_now(request, asked, rows, who)
        return back_to_dashboard(request) or HttpResponseRedirect(_with_filter(request, self._list()))

    def do_now(self, request: HttpRequest, asked: Action, rows: QuerySet[Any], who: Asked) -> Outcome:
        """Do it, with an entry in the admin's log for each row, and say what came of it."""
        outcome = at_once.do(asked, rows, who, _log(cast(User, request.user), asked, who.note))
        why = ", ".join(
            _("%(count)s %(reason)s") % {"count": count, "reason": told_reason(reason)}
            for reason, count in sorted(outcome.reasons.items())
        )
        level = messages.SUCCESS if outcome.done and not outcome.skipped else messages.WARNING
        text = _(asked.words.outcome) % {"changed": outcome.done, "skipped": outcome.skipped}
        self.message_user(request, f"{text}: {why}." if why else f"{text}.", level)
        return outcome

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that ask."""
        ask = self.admin_site.admin_view(self.ask_view)
        pages = [path(f"{name}/", ask, {"name": name}, name=f"{self.asks_prefix}_{name}") for name in self.asks]
        return [*pages, *super().get_urls()]

    def _list(self) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"


def _chosen(asked: Action, total: int, *, by_filter: bool, filtered: bool) -> str:
    """Return which rows the person chose, and how many."""
    if not by_filter:
        return asked.words.selected(total)
    return _(asked.words.matching if filtered else asked.words.every) % {"total": f"{total:,}"}


def _log(user: User, asked: Action, note: str) -> Written:
    """Return what writes an entry for each row, with the state that it was in."""

    def written(rows: Any) -> None:
        by_state: dict[str, list[Any]] = {}
        for row in rows:
            by_state.setdefault(asked.was(row), []).append(row)
        for state, some in by_state.items():
            message = f"{asked.entry} (was {state})" if state else asked.entry
            LogEntry.objects.log_actions(user.pk, some, CHANGE, f"{message}: {note}" if note else message)

    return written


def _with_filter(request: HttpRequest, name: str) -> str:
    """Return the address of a page that takes the same filter as this one; what is changed may leave fewer pages."""
    given = request.GET.copy()
    given.pop(PAGE_VAR, None)
    query = given.urlencode()
    return f"{reverse(name)}?{query}" if query else reverse(name)


def _filter_of(request: HttpRequest) -> dict[str, list[str]]:
    """Return the parameters of the address that choose rows."""
    return {name: [str(each) for each in values] for name, values in request.GET.lists() if name not in _NOT_A_FILTER}


def _matching(asked: Action, parameters: Mapping[str, list[str]]) -> QuerySet[Any]:
    """Return the rows that a list shows at an address with these parameters, to nobody in particular."""
    request = HttpRequest()
    request.method = "GET"
    request.user = AnonymousUser()
    given = QueryDict(mutable=True)
    for name, values in parameters.items():
        given.setlist(name, values)
    request.GET = QueryDict(given.urlencode())
    return _rows(admin.site.get_model_admin(asked.model), request)


def _rows(shown: Any, request: HttpRequest) -> QuerySet[Any]:
    """Return the rows that match the filter of an address, without counting them and reading a page of them."""
    bare = copy(shown)
    bare.get_changelist = lambda *args: type("Rows", (shown.get_changelist(*args),), {"get_results": lambda *_: None})
    rows: QuerySet[Any] = bare.get_changelist_instance(request).queryset
    return rows


door(DOOR, _matching)
