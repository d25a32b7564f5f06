"""The admin's index: the dashboard, and what its page asks for every few seconds."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from jobs import periodic
from jobs.actor import Actor
from jobs.dashboard.look import Look
from jobs.dashboard.panels import Panel, all_panels
from jobs.dashboard.spans import SPANS
from jobs.models import PeriodicTask
from jobs.states import Source

#: Seconds between two refreshes, to choose from; the first one is the usual one.
INTERVALS = (3, 2, 5)
#: Stands for the CSRF token while a panel is compared with what the page has: a token never looks the same twice.
_PLACEHOLDER = "@@csrf-token@@"
#: Hexadecimal digits of what tells whether a panel has changed.
_DIGITS = 12

#: What is kept of panels that may be, and since when: by panel, span and language.
_kept: dict[tuple[str, str, str | None], tuple[float, str | None]] = {}


def _visible(request: HttpRequest) -> list[Panel]:
    return [panel for panel in all_panels() if request.user.has_perm(panel.permission)]


def rendered(request: HttpRequest, look: Look) -> dict[str, dict[str, Any]]:
    """Return the panels that the user may see: {name: {title, wide, html, hash}}."""
    token = get_token(request)
    shown = {}
    for panel in _visible(request):
        html = _html(panel, request, look)
        if html is None:
            continue
        shown[panel.name] = {
            "title": _(panel.title),
            "wide": panel.wide,
            "hash": hashlib.blake2s(html.encode()).hexdigest()[:_DIGITS],
            "html": html.replace(_PLACEHOLDER, token),
        }
    return shown


def _html(panel: Panel, request: HttpRequest, look: Look) -> str | None:
    key = (panel.name, look.span.name, get_language())
    made, html = _kept.get(key, (0.0, None))
    if html is not None and time.monotonic() - made < panel.kept_for:
        return html
    context = panel.read(look, request)
    if context is None:
        return None
    html = render_to_string(panel.template, {**context, "panel": panel, "look": look, "token": _PLACEHOLDER})
    if panel.kept_for:
        _kept[key] = (time.monotonic(), html)
    return html


def fill(request: HttpRequest, context: dict[str, Any]) -> Mapping[str, Any]:
    """Add the dashboard to the context of the admin's index (unfold's `DASHBOARD_CALLBACK`)."""
    look = Look.over(request.GET.get("span"))
    return {**context, "panels": rendered(request, look), "look": look, "spans": SPANS, "intervals": sorted(INTERVALS)}


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Return the panels that differ from what the page has: {panels: {name: {html, hash}}, at}.

    The page says what it has as `have=NAME:HASH` for each panel.
    """
    if not _visible(request):
        raise PermissionDenied
    look = Look.over(request.GET.get("span"))
    have = dict(each.partition(":")[::2] for each in request.GET.getlist("have"))
    panels = {
        name: {"html": shown["html"], "hash": shown["hash"]}
        for name, shown in rendered(request, look).items()
        if have.get(name) != shown["hash"]
    }
    return JsonResponse({"panels": panels, "at": look.now.isoformat()})


@require_POST
def steer_task(request: HttpRequest, kind: str) -> HttpResponse:
    """Make a piece of periodic work a job now, or switch its schedule on or off."""
    if not request.user.has_perm("jobs.steer_periodictask"):
        raise PermissionDenied
    if kind not in {each.kind for each in periodic.declared()}:
        raise Http404(f"There is no schedule of {kind}.")
    act = request.POST.get("act")
    if act == "run":
        entry = periodic.run_now(kind, actor=Actor(request.user.get_username(), Source.ADMIN))
        done = f"made a job ({entry.status})"
        told = _("%(kind)s: made a job (%(status)s).") % {"kind": kind, "status": _(entry.status)}
    elif act in {"enable", "disable"}:
        periodic.enable(kind, enabled=act == "enable")
        done = f"schedule switched {'on' if act == 'enable' else 'off'}"
        told = _("%(kind)s: schedule switched on.") if act == "enable" else _("%(kind)s: schedule switched off.")
        told %= {"kind": kind}
    else:
        raise BadRequest("act has to be run, enable or disable.")
    task = PeriodicTask.objects.get(name=kind)
    LogEntry.objects.log_actions(cast(User, request.user).pk, [task], CHANGE, done)
    messages.success(request, told)
    return redirect("admin:index")


urlpatterns = [
    path("live/", admin.site.admin_view(live), name="dashboard_live"),
    path("schedule/<str:kind>/", admin.site.admin_view(steer_task), name="dashboard_task"),
]
