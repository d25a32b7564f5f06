"""Names that several files of reminders, and nobody else, share."""

from typing import Final

from django.utils.translation import gettext_noop

#: The kind of job that sends one reminder over one channel.
SEND_REMINDER: Final = "send_reminder"
#: The kind of job that plans ahead and catches what the leader missed.
SWEEP_REMINDERS: Final = "sweep_reminders"

#: Results of jobs.
SENT: Final = gettext_noop("reminded")
SKIPPED: Final = gettext_noop("skipped")
NOT_WANTED: Final = gettext_noop("not wanted any more")
SWEPT: Final = gettext_noop("swept")

#: Why a reminder was not sent, as its row says.
PASSED: Final = gettext_noop("Its time had passed when the occasion was saved.")
TOO_LATE: Final = gettext_noop("It would have come more than a day late.")
OCCASION_CHANGED: Final = gettext_noop("The occasion was changed.")
NO_ADDRESS: Final = gettext_noop("The owner has no e-mail address.")
NO_BROWSER: Final = gettext_noop("The owner has no browser that takes push messages.")
NOT_SET_UP: Final = gettext_noop("This channel is not set up here.")
CALLED_OFF: Final = gettext_noop("Its job ended without sending it.")

#: Why a job was cancelled.
RESCHEDULED: Final = gettext_noop("reminder rescheduled")
