"""Why rows are left alone: counted and stored in English, told in the reader's language."""

from typing import Final

from django.utils.translation import gettext

from jobs.deadletters import ITS_JOB

#: Its state follows.
IT_IS: Final = "it is "
#: The name of an exception follows.
IT_FAILED: Final = "it failed: "


def told_reason(reason: str) -> str:
    """Return a reason in the reader's language; one that nobody knows is left as it is."""
    if reason.startswith(ITS_JOB):
        return gettext("its job is %(status)s") % {"status": gettext(reason.removeprefix(ITS_JOB))}
    if reason.startswith(IT_IS):
        return gettext("it is %(status)s") % {"status": gettext(reason.removeprefix(IT_IS))}
    if reason.startswith(IT_FAILED):
        return gettext("it failed: %(error)s") % {"error": reason.removeprefix(IT_FAILED)}
    return gettext(reason)
