"""Following profiles that are deleted, alone or with their user."""

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver

from jobs.lifecycle import cancel_waiting
from yellowbook.recommendations.models import TasteProfile
from yellowbook.recommendations.names import PROFILE_DELETED


@receiver(pre_delete, sender=TasteProfile)
def call_off(instance: TasteProfile, **_: Any) -> None:
    """Call off the job of a profile that is being deleted.

    The row is locked first, so that nobody who saves it makes another job meanwhile.
    """
    list(TasteProfile.objects.select_for_update().filter(pk=instance.pk).values_list("pk"))
    cancel_waiting([instance.pk], reason=PROFILE_DELETED)
