"""The job `scrape_catalogue`: one page is fetched, unless it is as it was, read, merged, and its links followed.

A page with very many listings is merged in chunks, each in a transaction of its own that notes how far it has come: a
worker that dies over it loses nothing and counts nothing twice.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.batch import Batch
from jobs.errors import JobError
from jobs.lifecycle import ClaimedJob
from jobs.lifecycle.finish import Outcome
from yellowbook.catalogue.extract.confined import extract_confined
from yellowbook.catalogue.extract.item import Item
from yellowbook.catalogue.fetch.answers import Fetched
from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.errors import Denied, Gone, Refused
from yellowbook.catalogue.fetch.render import render
from yellowbook.catalogue.fetch.robots import Rules, parse
from yellowbook.catalogue.fetch.site import host_of, same_site
from yellowbook.catalogue.models import Page, Sync
from yellowbook.catalogue.syncing.discover import MOST_PAGES, add_pages, allowed
from yellowbook.catalogue.syncing.merge import merge
from yellowbook.catalogue.syncing.turns import give_back, take
from yellowbook.catalogue.syncing.visiting import of_site, visitor

State = Page.State

#: Listings that one transaction merges.
CHUNK: Final = 100
#: Seconds between two requests to a host that asks for none.
SPACING: Final = 0.1
#: Longest validators that are handed back; longer ones are not kept.
_VALIDATOR: Final = {"etag": 500, "last_modified": 100}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page says now."""

    state: str
    items: list[Item] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    #: Fields of the page's row that change with it.
    page: dict[str, Any] = field(default_factory=dict)


def scrape_pages(batch: Batch) -> None:
    """Read each page of the batch; the handler of `scrape_catalogue`."""
    for job in batch.jobs:
        page = Page.objects.select_related("sync__source__seller").filter(pk=job.subject).first()
        if page is None or page.sync is None or not _to_read(page, page.sync):
            batch.succeed(job, "nothing to do")
            continue
        rules = parse(page.sync.robots)
        try:
            reading = _visited(page, page.sync, rules)
            if isinstance(reading, float):
                batch.postpone(job, delay=reading)
                continue
            merged = _merge_all(page, reading.items)
        except JobError as error:
            batch.fail(job, of_site(error))
            continue
        batch.succeed(job, merged if reading.items else reading.state)
        batch.before_finish(partial(_write, job, page, page.sync, rules, reading))


def _to_read(page: Page, sync: Sync) -> bool:
    """Tell whether a page waits to be read, or could not be read and its job was retried, perhaps after the sync."""
    return page.state == State.FAILED or (page.state == State.WAITING and sync.state in Sync.UNDER_WAY)


def _visited(page: Page, sync: Sync, rules: Rules) -> Reading | float:
    """Fetch and read a page; the seconds to wait when it is not our turn yet."""
    seller = sync.source.seller
    host = f"host:{host_of(page.url)}"
    spacing = {host: max(rules.crawl_delay or 0.0, SPACING), f"seller:{seller.pk}": 60 / seller.requests_per_minute}
    wait = take(spacing, most={host})
    if wait:
        return wait
    try:
        with visitor(partial(_stay, rules, page.url)) as fetcher:
            fetched = _fetched(page, sync, fetcher)
    except Gone:
        return Reading(State.GONE)
    finally:
        give_back(host)
    return _read(page, fetched)


def _stay(rules: Rules, page: str, url: str) -> None:
    """Go where a redirect leads only on the same site, and where its robots.txt allows."""
    if not same_site(url, page):
        raise Refused(f"The page leads to another site: {host_of(url)}")
    if not rules.allowed(url):
        raise Denied("The site's robots.txt does not allow us to read this page.")


def _fetched(page: Page, sync: Sync, fetcher: Fetcher) -> Fetched:
    if sync.source.needs_javascript:
        return render(page.url, fetcher)
    return fetcher.fetch(page.url, etag=page.etag or None, last_modified=page.last_modified or None)


def _read(page: Page, fetched: Fetched) -> Reading:
    """Return what a page says; not more than that nothing is new, if so."""
    now = timezone.now()
    if fetched.not_modified:
        return Reading(State.UNCHANGED, links=page.links, page={"fetched_at": now})
    kept = {name: getattr(fetched, name) or "" for name in _VALIDATOR}
    kept = {name: value if len(value) <= _VALIDATOR[name] else "" for name, value in kept.items()}
    body_hash = hashlib.sha256(fetched.body).hexdigest()
    if body_hash == page.body_hash:
        return Reading(State.UNCHANGED, links=page.links, page={"fetched_at": now, **kept})
    said = extract_confined(fetched.body, fetched.url, fetched.content_type, fetched_at=now)
    told = {
        "told": [item.external_id for item in said.items],
        "links": said.next_pages,
        "problems": said.problems,
        "body_hash": body_hash,
        "fetched_at": now,
    }
    return Reading(State.READ, said.items, said.next_pages, {**told, **kept})


def _merge_all(page: Page, items: list[Item]) -> str:
    """Merge what a page says, from where an earlier attempt has stopped."""
    done = 0
    while done < len(items):
        with transaction.atomic():
            locked = Page.objects.select_for_update(no_key=True).select_related("source").get(pk=page.pk)
            done = max(done, locked.merged)
            chunk = items[done : done + CHUNK]
            merge(locked, chunk)
            done += len(chunk)
            Page.objects.filter(pk=page.pk).update(merged=done)
    return f"{len(items)} listings"


def _write(
    job: ClaimedJob, page: Page, sync: Sync, rules: Rules, reading: Reading, held: Collection[UUID]
) -> Mapping[UUID, Outcome]:
    """Note what became of a page, and go where it leads."""
    if job.id not in held:
        return {}
    written = Page.objects.filter(pk=page.pk, state=page.state, sync=sync).update(
        state=reading.state, merged=0, error="", **reading.page
    )
    if written:
        if reading.state == State.UNCHANGED:
            Sync.objects.filter(pk=sync.pk).update(unchanged=F("unchanged") + len(page.told))
        if sync.state not in Sync.UNDER_WAY:
            # Where it leads is for the next sync.
            return {}
        room = MOST_PAGES - Page.objects.filter(sync=sync).count()
        add_pages(sync, allowed([], reading.links, rules, page.url)[: max(0, room)])
    return {}
