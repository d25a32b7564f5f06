"""Reminders by e-mail, as notifications go."""

from django.conf import settings

from yellowbook import email_url
from yellowbook.notifications.channels import email
from yellowbook.notifications.models import Delivery
from yellowbook.notifications.owners import Recipient
from yellowbook.reminders.channels.base import Attempt, Sender, text, title
from yellowbook.reminders.models import Schedule
from yellowbook.reminders.names import NO_ADDRESS, NOT_SET_UP


def obstacle(schedule: Schedule) -> str:
    """Return why no letter can go to the owner."""
    if email_url.OFF["EMAIL_BACKEND"] == settings.EMAIL_BACKEND:
        return NOT_SET_UP
    return "" if schedule.occasion.owner.email else NO_ADDRESS


def send(schedule: Schedule, attempt: Attempt) -> None:
    """Send one letter. Every attempt carries the id of the reminder, so mail programs show it once."""
    letter = Delivery(pk=schedule.pk, subject=title(schedule), body=text(schedule))
    email.send(letter, Recipient(email=schedule.occasion.owner.email), attempt.said)


sender = Sender(obstacle=obstacle, send=send)
