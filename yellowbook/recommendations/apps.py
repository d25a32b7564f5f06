"""The `recommendations` app: taste profiles, and businesses that suit them."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecommendationsConfig(AppConfig):
    """Has its kind of job found by its name, and follows profiles that are deleted."""

    name = "yellowbook.recommendations"
    label = "recommendations"
    verbose_name = _("Recommendations")

    def ready(self) -> None:
        """Import what follows."""
        from yellowbook.recommendations import receivers  # noqa: F401
