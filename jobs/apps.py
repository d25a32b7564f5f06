"""The `jobs` app: durable jobs on PostgreSQL, with Dramatiq as their transport."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Finds the kinds of job that the installed apps declare."""

    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        """Import every app's `kinds.py`."""
        from jobs.kinds import discover

        discover()
