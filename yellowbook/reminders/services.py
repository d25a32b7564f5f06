"""What people do with occasions and browsers. None of it calls anybody: reminders are rows that the leader finds."""

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from jobs.lifecycle import cancel_waiting
from yellowbook.reminders.models import Occasion, PushSubscription
from yellowbook.reminders.names import OCCASION_CHANGED
from yellowbook.reminders.planning import plan

#: Browsers of one owner: each is written to in turn, within one job.
MOST_BROWSERS: Final = 10


class TooManyBrowsers(Exception):
    """The owner has as many as there may be."""


def save_occasion(occasion: Occasion) -> Occasion:
    """Store an occasion and its reminders, in one transaction; those of before are rescheduled or cancelled."""
    with transaction.atomic():
        occasion.save()
        plan(occasion)
    return occasion


def delete_occasion(occasion: Occasion) -> None:
    """Delete an occasion with its reminders, and call off the jobs that wait to send them."""
    with transaction.atomic():
        # Locked, so that no leader makes a job of one meanwhile; the occasion first, as whoever plans does.
        Occasion.objects.select_for_update().filter(pk=occasion.pk).first()
        ids = list(occasion.schedules.order_by("pk").select_for_update().values_list("pk", flat=True))
        cancel_waiting(ids, reason=OCCASION_CHANGED)
        occasion.delete()


def subscribe(owner: User, *, endpoint: str, p256dh: str, auth: str) -> PushSubscription:
    """Remember a browser. One that is known already has new keys or another user now, and is theirs alone.

    Raises `TooManyBrowsers`.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        others = PushSubscription.objects.filter(owner_id=owner.pk).exclude(endpoint=endpoint)
        if others.count() >= MOST_BROWSERS:
            raise TooManyBrowsers
        made, _ = PushSubscription.objects.update_or_create(
            endpoint=endpoint, defaults={"owner": owner, "p256dh": p256dh, "auth": auth}
        )
    return made
