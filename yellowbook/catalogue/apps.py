"""The `catalogue` app: what sellers publish on the web becomes businesses."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogueConfig(AppConfig):
    """Connects the receivers that lead listings from stage to stage."""

    name = "yellowbook.catalogue"
    label = "catalogue"
    verbose_name = _("Catalogues")

    def ready(self) -> None:
        """Import the receivers, and say how sellers are told of syncs."""
        from yellowbook.catalogue.stages import receivers  # noqa: F401
        from yellowbook.catalogue.syncing.telling import OWNER, recipient
        from yellowbook.notifications.owners import register_owner

        register_owner(OWNER, recipient)
