"""The `reminders` app: occasions, and reminding people of them."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RemindersConfig(AppConfig):
    """Has its kinds of job, its duty, its retention and its invariant found by their names."""

    name = "yellowbook.reminders"
    label = "reminders"
    verbose_name = _("Reminders")
