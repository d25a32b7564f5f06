"""The `jobs` app: durable jobs on PostgreSQL, with Dramatiq as their transport."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Finds the kinds of job, the gauges and the parts of the dashboard that the installed apps declare."""

    name = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        """Import every app's `kinds.py`, then its `gauges.py` and `dashboard.py`, which need the models."""
        from jobs.bulk import kind  # noqa: F401
        from jobs.history import duties  # noqa: F401
        from jobs.kinds import discover

        discover()
        from jobs.dashboard import job_cards, job_panels  # noqa: F401

        autodiscover_modules("gauges", "dashboard")
