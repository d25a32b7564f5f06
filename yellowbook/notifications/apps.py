"""The `notifications` app: telling people outside of events."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Has its kind of job, its retention and its invariant found by their names."""

    name = "yellowbook.notifications"
    label = "notifications"
    verbose_name = _("Notifications")
