"""The composition root, as an app: it holds the project's own management commands."""

from django.apps import AppConfig


class YellowBookConfig(AppConfig):
    """Declares the app."""

    name = "yellowbook"
    verbose_name = "Yellow Book"
