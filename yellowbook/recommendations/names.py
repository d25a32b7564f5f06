"""Names that several files of recommendations share."""

from typing import Final

from django.utils.translation import gettext_noop

#: The kind of job that embeds the text of one profile.
EMBED_PROFILE: Final = "embed_profile"

#: Results of its jobs.
EMBEDDED: Final = gettext_noop("embedded")
UNCHANGED: Final = gettext_noop("unchanged")
SUPERSEDED: Final = gettext_noop("superseded")
NOT_COMPLETED: Final = gettext_noop("not completed")

#: Why a waiting job was cancelled.
PROFILE_DELETED: Final = gettext_noop("taste profile deleted")

#: Who asked for a job, as its metadata says: a job outlives its profile, and names nobody.
OWNER: Final = "owner of the profile"
