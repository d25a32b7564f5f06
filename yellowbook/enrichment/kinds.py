"""The kinds of job of this app."""

from types import MappingProxyType
from typing import Final

from django.conf import settings

from jobs.errors import ErrorClass
from jobs.kinds import Kind, register
from jobs.retry import DEFAULT_POLICY, Rule
from yellowbook.enrichment.feed import EnrichmentFeed
from yellowbook.enrichment.handler import enrich_businesses
from yellowbook.enrichment.making import asks_model
from yellowbook.enrichment.names import ENRICH_BUSINESS, GEMINI, PREVIEW_ENRICHMENT
from yellowbook.enrichment.preview import preview_enrichments
from yellowbook.llm import llm_throttle, preload

#: Nobody waits for tags, so an outage of the model is sat out for about eight minutes before a job is dead; an answer
#: that is of no use is asked for only three more times, since every one is paid for.
PATIENCE: Final = 12
RETRY: Final = MappingProxyType({**DEFAULT_POLICY, ErrorClass.BAD_RESPONSE: Rule(retried=True, retries=3)})

register(
    Kind(
        name=ENRICH_BUSINESS,
        handler=enrich_businesses,
        subject_name="business_id",
        subject_model="directory.Business",
        # A prompt is about one business, and fails alone; the rules are fast.
        batch_size=1 if settings.ENRICHMENT == GEMINI else 50,
        throttle=lambda: llm_throttle() if asks_model() else None,
        preload=lambda: preload() if asks_model() else None,
        max_retries=PATIENCE,
        retry=RETRY,
        feed=EnrichmentFeed(),
    )
)
register(
    Kind(
        name=PREVIEW_ENRICHMENT,
        handler=preview_enrichments,
        subject_name="sample_id",
        throttle=lambda: llm_throttle() if asks_model() else None,
        max_retries=1,
    )
)
