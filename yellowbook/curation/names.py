"""Names that several files of curation share."""

from typing import Final

from django.utils.translation import gettext_noop

#: The kind of job that makes the collections of one surface and day, and the periodic one that asks for them.
CURATE_COLLECTIONS: Final = "curate_collections"
PLAN_COLLECTIONS: Final = "plan_collections"

#: Results of their jobs.
CURATED: Final = gettext_noop("curated")
UNCHANGED: Final = gettext_noop("unchanged")
SUPERSEDED: Final = gettext_noop("superseded")
PLANNED: Final = gettext_noop("planned")

#: Values of the setting `CURATION_TITLES`.
GEMINI: Final = "gemini"
TEMPLATES: Final = "templates"

#: Why the titles of a set are not the model's, as its row says.
NO_ANSWER: Final = gettext_noop("The model did not answer, so titles are from templates.")
REFUSED: Final = gettext_noop("The model refused, so titles are from templates.")
UNFIT: Final = gettext_noop("Some of the model's titles were of no use, so those are from templates.")
