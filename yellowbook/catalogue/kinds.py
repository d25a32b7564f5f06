"""The kinds of job of this app: each a lane of its own, so that a slow site delays nothing else."""

from types import MappingProxyType
from typing import Final

from jobs.errors import ErrorClass
from jobs.kinds import Kind, register
from jobs.retry import DEFAULT_POLICY, Rule
from yellowbook.catalogue.stages.check import check_listings
from yellowbook.catalogue.stages.kinds import INDEX_BUSINESS, QUALITY_CONTROL
from yellowbook.catalogue.stages.publish import index_listings
from yellowbook.catalogue.syncing import settle  # noqa: F401 it declares a duty of the leader
from yellowbook.catalogue.syncing.begin import SYNC_SOURCE
from yellowbook.catalogue.syncing.discover import SCRAPE_CATALOGUE, sync_sources
from yellowbook.catalogue.syncing.scrape import scrape_pages
from yellowbook.llm import available, llm_throttle, preload

#: One site that has enough of us is no reason for the others to wait.
_OF_SITES: Final = MappingProxyType(
    {**DEFAULT_POLICY, ErrorClass.RATE_LIMITED: Rule(retried=True, retries=5, counted_apart=True, delay=60.0)}
)

register(
    Kind(
        name=SYNC_SOURCE,
        handler=sync_sources,
        subject_name="source_id",
        subject_model="catalogue.CatalogueSource",
        retry=_OF_SITES,
    )
)
register(
    Kind(
        name=SCRAPE_CATALOGUE,
        handler=scrape_pages,
        subject_name="page_id",
        subject_model="catalogue.Page",
        # A page of 10 MB and what is read of it.
        job_bytes=64 * 1024 * 1024,
        retry=_OF_SITES,
    )
)
register(
    Kind(
        name=QUALITY_CONTROL,
        handler=check_listings,
        subject_name="listing_id",
        subject_model="catalogue.Listing",
        throttle=lambda: llm_throttle() if available() else None,
        preload=lambda: preload() if available() else None,
    )
)
register(
    Kind(
        name=INDEX_BUSINESS,
        handler=index_listings,
        subject_name="listing_id",
        subject_model="catalogue.Listing",
        batch_size=20,
        linger=0.2,
    )
)
