"""Reminders by Web Push: to every browser of the owner, encrypted for it alone (RFC 8291), signed by us (RFC 8292)."""

from http import HTTPStatus
from typing import Final

from django.conf import settings

from jobs.errors import AuthError, JobError
from yellowbook.notifications.channels import Said
from yellowbook.notifications.channels.post import post
from yellowbook.notifications.channels.webhook import classified
from yellowbook.notifications.errors import Rejected
from yellowbook.notifications.policy import RETRY
from yellowbook.reminders.channels.base import Attempt, Sender, text, title
from yellowbook.reminders.models import PushSubscription, Schedule
from yellowbook.reminders.names import NO_BROWSER, NOT_SET_UP

#: Seconds for which a push service keeps a message for a browser that is off: a day.
KEPT_FOR: Final = 86_400
#: Answers that say the subscription is no more.
GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def obstacle(schedule: Schedule) -> str:
    """Return why no browser of the owner can be reached."""
    if not settings.REMINDERS_VAPID_PRIVATE_KEY:
        return NOT_SET_UP
    return "" if PushSubscription.objects.filter(owner=schedule.occasion.owner_id).exists() else NO_BROWSER


def send(schedule: Schedule, attempt: Attempt) -> None:
    """Send to every browser that does not have it yet; those that are gone are forgotten.

    One browser's trouble holds up no other. Raises the first failure that may pass, since that one is tried again;
    else, when nobody has it, the first one.
    """
    failures: list[JobError] = []
    for browser in PushSubscription.objects.filter(owner=schedule.occasion.owner_id).order_by("pk"):
        if str(browser.pk) in attempt.reached:
            continue
        try:
            if _push(browser, schedule, attempt.said):
                attempt.reached.append(str(browser.pk))
        except JobError as error:
            failures.append(error)
    passing = [error for error in failures if RETRY[error.error_class].retried]
    if passing:
        raise passing[0]
    if not attempt.reached:
        raise failures[0] if failures else Rejected(NO_BROWSER)


def _push(browser: PushSubscription, schedule: Schedule, said: Said) -> bool:
    """Send to one browser; tell whether it is still there."""
    # Here: most workers never push, and cryptography takes 7 MB.
    from yellowbook.reminders.encryption import encrypted
    from yellowbook.reminders.vapid import authorization

    told = {"title": title(schedule), "body": text(schedule), "tag": str(schedule.pk)}
    headers = {
        "authorization": authorization(browser.endpoint),
        "content-type": "application/octet-stream",
        "content-encoding": "aes128gcm",
        "ttl": str(KEPT_FOR),
        # A repeated one takes the place of the first where that has not been delivered yet.
        "topic": schedule.pk.hex,
    }
    retry_after = post(
        browser.endpoint,
        encrypted(told, key=browser.p256dh, secret=browser.auth),
        headers,
        said,
        allow_private=settings.CATALOGUE_ALLOW_PRIVATE,
    )
    status = said.status or 0
    if 200 <= status < 300:
        return True
    if status in GONE:
        browser.delete()
        return False
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise AuthError(f"The push service refuses our key with {status}.", status_code=status)
    raise classified(status, retry_after)


sender = Sender(obstacle=obstacle, send=send)
