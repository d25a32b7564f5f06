"""The job `sync_source`: what a source's site allows, and which pages there are."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urljoin, urlsplit
from uuid import UUID

from django.db import connection

from jobs.batch import Batch
from jobs.enqueue import enqueue_many
from jobs.errors import JobError
from jobs.lifecycle import ClaimedJob
from jobs.lifecycle.finish import Outcome
from jobs.states import Operation
from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.errors import Denied, Failed
from yellowbook.catalogue.fetch.robots import DISALLOW_ALL, Rules, read_robots
from yellowbook.catalogue.fetch.site import absolute, same_site
from yellowbook.catalogue.fetch.sitemap import read_sitemaps
from yellowbook.catalogue.models import CatalogueSource, Sync
from yellowbook.catalogue.syncing.visiting import of_site, visitor

#: The kind of job that reads one page.
SCRAPE_CATALOGUE: Final = "scrape_catalogue"
#: Pages of one sync.
MOST_PAGES: Final = 5_000
_SITEMAPS: Final = (".xml", ".xml.gz", ".txt")

_PAGES = """
INSERT INTO catalogue_page AS page (id, source_id, sync_id, url, told, links, problems)
SELECT gen_random_uuid(), %(source)s, %(sync)s, url, '{}', '{}', '[]' FROM unnest(%(urls)s::text[]) AS url
    ON CONFLICT (source_id, url) DO UPDATE SET sync_id = excluded.sync_id, state = 'waiting', error = '', merged = 0
 WHERE page.sync_id IS DISTINCT FROM excluded.sync_id
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to read."""

    urls: list[str]
    robots: str


def sync_sources(batch: Batch) -> None:
    """Find the pages of each source's sync, and have each read by a job; the handler of `sync_source`."""
    for job in batch.jobs:
        sync = _begun(UUID(job.subject))
        if sync is None:
            batch.succeed(job, "nothing to do")
            continue
        try:
            with visitor() as fetcher:
                found = discover(fetcher, sync.source)
        except JobError as error:
            batch.fail(job, of_site(error))
            continue
        batch.succeed(job, f"{len(found.urls)} pages")
        batch.before_finish(partial(_write, job, sync, found))


def _begun(source_id: UUID) -> Sync | None:
    """Return the sync whose pages are to be found: the one under way, or one that failed over it and is retried."""
    sync = Sync.objects.filter(source=source_id).select_related("source__seller").order_by("-started_at").first()
    if sync is None or sync.state == Sync.State.DISCOVERING:
        return sync
    if sync.state == Sync.State.FAILED and not sync.pages.exists():
        Sync.objects.filter(pk=sync.pk).update(state=Sync.State.DISCOVERING, error="", finished_at=None)
        return sync
    return None


def discover(fetcher: Fetcher, source: CatalogueSource) -> Found:
    """Return the pages that a source names itself: the one it is registered with, and those of its sitemaps.

    Raises `Denied` when the site's robots.txt does not want us there, `Failed` when it can't be asked.
    """
    rules = read_robots(fetcher, source.url)
    if rules is DISALLOW_ALL:
        raise Failed("The site's robots.txt can't be read now, so nothing else of it is.")
    if not rules.allowed(source.url):
        raise Denied("The site's robots.txt does not allow us to read this address.")
    is_sitemap = urlsplit(source.url).path.endswith(_SITEMAPS)
    roots = [source.url] if is_sitemap else _roots(rules, source.url)
    named: list[str] = []
    try:
        named = [page.url for page in read_sitemaps(_reading(fetcher), roots, most_pages=MOST_PAGES).pages]
    except JobError:
        # A site need not have a sitemap; one that is registered as a source does.
        if is_sitemap:
            raise
    return Found(allowed([] if is_sitemap else [source.url], named, rules, source.url), rules.text)


def allowed(first: Collection[str], further: Collection[str], rules: Rules, site: str) -> list[str]:
    """Return the addresses in their normal form, each once, that are on the site and that it allows."""
    found = dict.fromkeys(filter(None, (absolute(url, site) for url in (*first, *further))))
    return [url for url in found if same_site(url, site) and rules.allowed(url)][:MOST_PAGES]


def add_pages(sync: Sync, urls: Collection[str]) -> int:
    """Make those pages part of the sync that are not yet, each with a job; return how many. Needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_PAGES, {"source": sync.source_id, "sync": sync.pk, "urls": list(dict.fromkeys(urls))})
        added = [page_id for (page_id,) in cursor.fetchall()]
    enqueue_many(SCRAPE_CATALOGUE, added, operation=Operation.BULK, priority=sync.source.seller.priority)
    return len(added)


def _write(job: ClaimedJob, sync: Sync, found: Found, held: Collection[UUID]) -> Mapping[UUID, Outcome]:
    if job.id in held:
        locked = Sync.objects.select_for_update(no_key=True).get(pk=sync.pk)
        if locked.state == Sync.State.DISCOVERING:
            add_pages(sync, found.urls)
            Sync.objects.filter(pk=sync.pk).update(state=Sync.State.READING, robots=found.robots)
    return {}


def _roots(rules: Rules, url: str) -> list[str]:
    """Return where the site's sitemaps are: where it says, else in the usual place."""
    said = [each for each in (absolute(sitemap, url) for sitemap in rules.sitemaps) if each and same_site(each, url)]
    return said or [urljoin(url, "/sitemap.xml")]


def _reading(fetcher: Fetcher) -> Callable[[str], bytes]:
    return lambda url: fetcher.fetch(url).body
