"""The `embeddings` app: text to vector."""

from django.apps import AppConfig


class EmbeddingsConfig(AppConfig):
    """Declares the app."""

    name = "embeddings"
    verbose_name = "Embeddings"

    def ready(self) -> None:
        """Register the system checks."""
        from embeddings import checks  # noqa: F401 registers itself
