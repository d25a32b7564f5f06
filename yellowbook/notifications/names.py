"""Names that several files of notifications, and nobody else, share."""

from typing import Final

from django.utils.translation import gettext_noop

#: The kind of job that delivers one message over one channel.
DELIVER_NOTIFICATION: Final = "deliver_notification"

#: Results of its jobs.
DELIVERED: Final = gettext_noop("delivered")
DELIVERED_BEFORE: Final = gettext_noop("delivered before")
SWITCHED_OFF: Final = gettext_noop("switched off")
