"""The app of alerts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """Finds the rules that the installed apps declare."""

    name = "jobs.alerts"
    label = "alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        """Import every app's `alert_rules.py`, add the metric, have the leader watch; all of it needs the models."""
        from jobs.alerts import evaluate, metrics, rules
        from jobs.duties import Duty, register

        rules.discover()
        metrics.register()
        # Not at once: who could not beat while there was no leader, or no database, has time to do so.
        interval = evaluate.ALERT_INTERVAL
        register(Duty("alerts", interval, evaluate.watch, at_first=lambda: interval))
