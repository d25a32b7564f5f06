"""The app `upkeep`."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class UpkeepConfig(AppConfig):
    """Finds what the installed apps have to prune."""

    name = "jobs.upkeep"
    label = "upkeep"
    verbose_name = "Upkeep"

    def ready(self) -> None:
        """Import every app's `retention.py`."""
        autodiscover_modules("retention")
