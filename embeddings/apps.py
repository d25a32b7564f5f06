"""The `embeddings` app: text to vector."""

from django.apps import AppConfig


class EmbeddingsConfig(AppConfig):
    """Declares the app."""

    name = "embeddings"
    verbose_name = "Embeddings"

    def ready(self) -> None:
        """Register the system checks and the metrics; both need the models."""
        from embeddings import checks, metrics

        checks.register()
        metrics.register()
