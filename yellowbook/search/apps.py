"""The `search` app: finding businesses by meaning, by words, and by names with slips of the pen."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Connects the receivers that keep the index up to date."""

    name = "yellowbook.search"
    label = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        """Import the receivers."""
        from yellowbook.search import receivers  # noqa: F401
