"""The kinds of job of curation, and when they are due."""

from typing import Final

from django.conf import settings

from jobs.kinds import Kind, register
from jobs.periodic import every
from jobs.schedule import Daily
from yellowbook.curation.handler import curate, plan
from yellowbook.curation.making import asks_model
from yellowbook.curation.names import CURATE_COLLECTIONS, PLAN_COLLECTIONS
from yellowbook.llm import preload

#: Retries of a set: five attempts.
MAX_RETRIES: Final = 4
#: What a set takes at most while it is made: the sample, a block, and what is computed of them.
JOB_BYTES: Final = 256 * 1024 * 1024

register(
    Kind(
        name=CURATE_COLLECTIONS,
        handler=curate,
        subject_name="collection_set_id",
        subject_model="curation.CollectionSet",
        batch_size=1,
        # One at a time, in the background of everything else; it waits for nobody's budget.
        concurrency=1,
        linger=0.0,
        job_bytes=JOB_BYTES,
        preload=lambda: preload() if asks_model() else None,
        max_retries=MAX_RETRIES,
    )
)
register(Kind(name=PLAN_COLLECTIONS, handler=plan, concurrency=1, max_retries=MAX_RETRIES))
every(Daily(settings.CURATION_AT.hour, settings.CURATION_AT.minute), PLAN_COLLECTIONS)
