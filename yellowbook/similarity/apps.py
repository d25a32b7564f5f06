"""The `similarity` app: which businesses are like which."""

from django.apps import AppConfig


class SimilarityConfig(AppConfig):
    """Connects the app to what it follows: stored vectors, and businesses that change."""

    name = "yellowbook.similarity"
    label = "similarity"
    verbose_name = "Similarity"

    def ready(self) -> None:
        """Import the receivers, and the panel on a business's page."""
        from yellowbook.similarity import panel, receivers  # noqa: F401
