"""The `directory` app: the businesses of the yellow book."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DirectoryConfig(AppConfig):
    """Connects the receivers that keep jobs and businesses together."""

    name = "yellowbook.directory"
    label = "directory"
    verbose_name = _("Directory")

    def ready(self) -> None:
        """Import the receivers."""
        from yellowbook.directory import signals  # noqa: F401
