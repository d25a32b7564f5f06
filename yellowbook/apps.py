"""The composition root, as an app: it holds the project's own management commands."""

from django.apps import AppConfig


class YellowBookConfig(AppConfig):
    """Has all that people read named in their language."""

    name = "yellowbook"
    verbose_name = "Yellow Book"

    def ready(self) -> None:
        """Translate the names of models and fields, which are complete now."""
        from yellowbook import names

        names.translate()
