"""Names that several files of enrichment share."""

from typing import Final

from django.utils.translation import gettext_noop

#: The kind of job that enriches one business.
ENRICH_BUSINESS: Final = "enrich_business"

#: The kind of job that makes one sample of a preview.
PREVIEW_ENRICHMENT: Final = "preview_enrichment"

#: Results of their jobs.
PREVIEWED: Final = gettext_noop("previewed")
ENRICHED: Final = gettext_noop("enriched")
BLOCKED: Final = gettext_noop("blocked")
UNCHANGED: Final = gettext_noop("unchanged")
SUPERSEDED: Final = gettext_noop("superseded")
NOT_PUBLISHED: Final = gettext_noop("not published")
SWITCHED_OFF: Final = gettext_noop("switched off")

#: Values of the setting `ENRICHMENT`, and the makers of enrichments.
GEMINI: Final = "gemini"
RULES: Final = "rules"
OFF: Final = "off"
