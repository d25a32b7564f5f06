"""The `enrichment` app: tags, summaries and opening hours of businesses."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnrichmentConfig(AppConfig):
    """Connects the app to the businesses that it follows, and to those who show what it knows of them."""

    name = "yellowbook.enrichment"
    label = "enrichment"
    verbose_name = _("Enrichment")

    def ready(self) -> None:
        """Import what follows, and what tells."""
        from yellowbook.enrichment import describing, panel, receivers  # noqa: F401
