"""The `embeddings` app: text to vector."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EmbeddingsConfig(AppConfig):
    """Declares the app."""

    name = "embeddings"
    verbose_name = _("Embeddings")

    def ready(self) -> None:
        """Register the system checks and the metrics; both need the models."""
        from embeddings import checks, metrics

        checks.register()
        metrics.register()
