"""The `enrichment` app: tags, summaries and opening hours of businesses."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnrichmentConfig(AppConfig):
    """Connects the app to the businesses that it follows."""

    name = "yellowbook.enrichment"
    label = "enrichment"
    verbose_name = _("Enrichment")

    def ready(self) -> None:
        """Import the receivers."""
        from yellowbook.enrichment import receivers  # noqa: F401
