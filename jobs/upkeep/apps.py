"""The app `upkeep`."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class UpkeepConfig(AppConfig):
    """Finds what the installed apps have to prune, what must hold of their rows, and how to examine them."""

    name = "jobs.upkeep"
    label = "upkeep"
    verbose_name = "Upkeep"

    def ready(self) -> None:
        """Import every app's `retention.py`, `invariants.py` and `doctor.py`; register the metrics."""
        from jobs.upkeep import metrics

        autodiscover_modules("retention", "invariants", "doctor")
        metrics.register()
