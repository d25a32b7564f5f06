"""The `curation` app: collections of businesses for each surface and day."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CurationConfig(AppConfig):
    """Has its kinds of job, its retention and its invariant found by their names."""

    name = "yellowbook.curation"
    label = "curation"
    verbose_name = _("Collections")
