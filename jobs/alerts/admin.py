"""Alerts and their history in the admin: to be looked at; and a test, to see whether messages arrive."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from jobs.actor import Actor
from jobs.admin.base import ReadOnlyAdmin
from jobs.admin.filters import StoredWordFilter
from jobs.alerts.announce import send_test
from jobs.alerts.channels import CHANNELS, enabled_channels
from jobs.alerts.look import look
from jobs.alerts.models import Alert, AlertEvent
from jobs.alerts.names import DELIVER_ALERT
from jobs.alerts.rules import Severity, Unit, all_rules
from jobs.alerts.standing import UNKNOWN, Standing, ensure_rows, standing
from jobs.models import JobExecution
from jobs.states import Source

State = Alert.State
Kind = AlertEvent.Kind
#: The colour of each state and severity; the name is always written out too.
STATE_COLOURS = {State.OK.value: "success", State.FIRING.value: "danger", UNKNOWN: "default"}
SEVERITY_COLOURS = {str(Severity.CRITICAL): "danger", str(Severity.WARNING): "warning"}
LINK = '<a class="yb-link" href="{}">{}</a>'
KIND_COLOURS = {Kind.FIRED: "danger", Kind.REMINDED: "warning", Kind.RECOVERED: "success", Kind.TEST: "info"}


def told(alert: Alert) -> Standing:
    """Return how a row's rule stands; asked once for each row, however many columns show it."""
    known: Standing | None = getattr(alert, "standing", None)
    if known is None:
        rule = next(rule for rule in all_rules() if rule.name == alert.rule)
        found = look([rule])[0].finding if rule.live else None
        known = standing(rule, alert, found)
        alert.standing = known  # type: ignore[attr-defined]
    return known


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Every rule and how it stands, those that fire first."""

    list_display = [
        "shown_state",
        "shown_title",
        "shown_severity",
        "shown_value",
        "shown_threshold",
        "shown_message",
        "shown_since",
        "last_notified_at",
    ]
    list_display_links = ["shown_title"]
    ordering = ["state", "rule"]
    actions_list = ["send_test"]
    fields = [
        "shown_title",
        "rule",
        "shown_state",
        "shown_severity",
        "shown_since",
        "shown_value",
        "shown_threshold",
        "shown_finding",
        "shown_next_step",
        "shown_history",
        "last_checked_at",
        "last_notified_at",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        """Return the rows of rules that are still declared."""
        rows: QuerySet[Alert] = super().get_queryset(request)
        return rows.filter(rule__in=[rule.name for rule in all_rules()])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """List every rule, those too that nobody has evaluated yet."""
        ensure_rows()
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, alert: Alert) -> tuple[str, str]:
        """Return the state, coloured."""
        return told(alert).state, gettext(told(alert).state)

    @display(description=_("fires when"), ordering="rule")
    def shown_title(self, alert: Alert) -> str:
        """Return what the rule watches for."""
        return gettext(told(alert).rule.title)

    @display(description=_("severity"), label=SEVERITY_COLOURS)
    def shown_severity(self, alert: Alert) -> tuple[str, str]:
        """Return the severity, coloured."""
        severity = str(told(alert).rule.severity)
        return severity, gettext(severity)

    @display(description=_("since"), ordering="since")
    def shown_since(self, alert: Alert) -> str:
        """Return when it came into this state."""
        since = told(alert).since
        return formats.localize(timezone.localtime(since)) if since else "-"

    @display(description=_("value"))
    def shown_value(self, alert: Alert) -> str:
        """Return what was measured."""
        return told(alert).rule.unit.show(told(alert).value)

    @display(description=_("threshold"))
    def shown_threshold(self, alert: Alert) -> str:
        """Return the value beyond which it fires."""
        return told(alert).rule.unit.show(told(alert).rule.threshold)

    @display(description=_("message"))
    def shown_finding(self, alert: Alert) -> str:
        """Return how it stands."""
        return told(alert).rule.retold(told(alert).message)

    @display(description=_("message"))
    def shown_message(self, alert: Alert) -> SafeString:
        """Return how it stands; while it fires, also what to do, linked to where that is done."""
        known = told(alert)
        step = format_html(" {}", self.shown_next_step(alert)) if known.firing else ""
        return format_html('<span class="yb-said">{}{}</span>', known.rule.retold(known.message), step)

    @display(description=_("what to do"))
    def shown_next_step(self, alert: Alert) -> SafeString | str:
        """Return what to do when it fires, linked to where that is done."""
        rule = told(alert).rule
        step = gettext(rule.next_step)
        return format_html(LINK, rule.page, step) if rule.page else step

    @display(description=_("history"))
    def shown_history(self, alert: Alert) -> SafeString:
        """Return a link to what happened before."""
        url = reverse("admin:alerts_alertevent_changelist")
        return format_html(LINK, f"{url}?rule__exact={alert.rule}", gettext("What happened before"))

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may send test alerts."""
        return request.user.has_perm("alerts.test_alert")

    @action(description=_("Send a test alert"), url_path="test", permissions=["test"])
    def send_test(self, request: HttpRequest) -> HttpResponse:
        """Ask, then send a message over every channel."""
        back = reverse("admin:alerts_alert_changelist")
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Send a test alert"),
                "channels": enabled_channels(),
                "named": get_text_list([channel.name for channel in enabled_channels()], gettext("and")),
                "back": back,
            }
            return TemplateResponse(request, "admin/alerts/test.html", context)
        event = send_test(Actor(request.user.get_username(), Source.ADMIN))
        self.log_addition(request, event, "Sent a test alert.")
        channels = ", ".join(channel.name for channel in enabled_channels())
        if channels:
            self.message_user(
                request,
                gettext("A test alert is on its way by %(channels)s.") % {"channels": channels},
                messages.SUCCESS,
            )
        else:
            self.message_user(
                request, gettext("No channel is switched on: the test alert is in the log only."), messages.WARNING
            )
        return HttpResponseRedirect(reverse("admin:alerts_alertevent_changelist") if channels else back)


@admin.register(AlertEvent)
class AlertEventAdmin(ReadOnlyAdmin):
    """What happened, the latest first, and whether people were reached."""

    list_display = ["shown_kind", "shown_title", "shown_value", "shown_message", "at", "notified", "shown_deliveries"]
    list_display_links = ["shown_title"]
    list_filter = ["kind", "notified", ("severity", StoredWordFilter), "rule"]
    ordering = ["-at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertEvent]:
        """Return events, each with the state of its deliveries."""
        rows: QuerySet[AlertEvent] = super().get_queryset(request)
        return rows.annotate(**{f"by_{name}": _delivery(name) for name in CHANNELS})

    @display(description=_("event"), ordering="kind", label=KIND_COLOURS)
    def shown_kind(self, event: AlertEvent) -> tuple[str, str]:
        """Return what happened, coloured."""
        return event.kind, event.get_kind_display()

    @display(description=_("title"), ordering="title")
    def shown_title(self, event: AlertEvent) -> str:
        """Return what the rule watched for."""
        return gettext(event.title)

    @display(description=_("value"))
    def shown_value(self, event: AlertEvent) -> str:
        """Return what was measured."""
        unit = next((rule.unit for rule in all_rules() if rule.name == event.rule), Unit.COUNT)
        return unit.show(event.value)

    @display(description=_("message"))
    def shown_message(self, event: AlertEvent) -> str:
        """Return what the rule said."""
        rule = next((rule for rule in all_rules() if rule.name == event.rule), None)
        return rule.retold(event.message) if rule else event.message

    @display(description=_("delivered"))
    def shown_deliveries(self, event: AlertEvent) -> str:
        """Return how its deliveries stand, channel by channel, as long as their jobs are kept."""
        states = {name: getattr(event, f"by_{name}", None) for name in CHANNELS}
        return ", ".join(f"{name} {gettext(state)}" for name, state in states.items() if state) or "-"


def _delivery(channel: str) -> Subquery:
    """Return the status of the job that delivers an event over a channel."""
    subject = Concat(Cast(OuterRef("pk"), TextField()), Value(f":{channel}"))
    jobs = JobExecution.objects.filter(kind=DELIVER_ALERT, subject=subject).order_by("-created_at")
    return Subquery(jobs.values("status")[:1])
