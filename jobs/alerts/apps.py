"""The app of alerts."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Finds the rules that the installed apps declare."""

    name = "jobs.alerts"
    label = "alerts"
    verbose_name = "Alerts"

    def ready(self) -> None:
        """Import every app's `alert_rules.py` and add the metric; both need the models."""
        from jobs.alerts import metrics, rules

        rules.discover()
        metrics.register()
