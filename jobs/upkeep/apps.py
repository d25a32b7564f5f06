"""The app `upkeep`."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class UpkeepConfig(AppConfig):
    """Finds what the installed apps have to prune, what must hold of their rows, and how to examine them."""

    name = "jobs.upkeep"
    label = "upkeep"
    verbose_name = _("Upkeep")

    def ready(self) -> None:
        """Import every app's `retention.py`, `invariants.py` and `doctor.py`; register the metrics."""
        # Its own come first: all else stands on what they look at.
        from jobs.upkeep import doctor, invariants, metrics  # noqa: F401

        autodiscover_modules("retention", "invariants", "doctor")
        metrics.register()
