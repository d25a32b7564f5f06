"""A seller with a site of several pages, and the jobs that go over it."""

import json
from typing import Any

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.execute import run_lane
from jobs.models import JobExecution
from tests.yellowbook.catalogue.conftest import Site
from yellowbook.catalogue.models import CatalogueSource, Listing, Seller, Sync, Turn
from yellowbook.catalogue.stages.kinds import INDEX_BUSINESS, QUALITY_CONTROL
from yellowbook.catalogue.stages.receivers import catch_up
from yellowbook.catalogue.syncing.begin import SYNC_SOURCE, start_sync
from yellowbook.catalogue.syncing.discover import SCRAPE_CATALOGUE
from yellowbook.catalogue.syncing.settle import settle

LANES = (SYNC_SOURCE, SCRAPE_CATALOGUE, GENERATE_EMBEDDING, QUALITY_CONTROL, INDEX_BUSINESS)


def shop(name: str = "Номин ресторан", **values: Any) -> dict[str, Any]:
    """Return what a page says of a business, as JSON-LD."""
    return {
        "@context": "https://schema.org",
        "@type": "Restaurant",
        "@id": f"#{name}",
        "name": name,
        "description": f"{name}: бууз, цуйван, хуушуур",
        "telephone": "+976 7011 2233",
        "address": {"@type": "PostalAddress", "streetAddress": "Энхтайваны өргөн чөлөө 12", "addressLocality": "Мөрөн"},
        **values,
    }


def page(*businesses: dict[str, Any], links: str = "") -> bytes:
    """Return an HTML page that tells of some businesses."""
    blocks = "".join(
        f'<script type="application/ld+json">{json.dumps(each, ensure_ascii=False)}</script>' for each in businesses
    )
    return f"<!doctype html><html><head>{links}{blocks}</head><body>Каталог</body></html>".encode()


def sitemap(site: Site, *paths: str) -> None:
    """Have the site name its pages."""
    entries = "".join(f"<url><loc>{site.url}{path}</loc></url>" for path in paths)
    site.serve("/sitemap.xml", f"<urlset>{entries}</urlset>".encode(), content_type="application/xml")


def source_at(url: str, **values: Any) -> CatalogueSource:
    """Register a catalogue of a seller who may be asked as often as anybody likes."""
    seller = Seller.objects.create(name="Номин", requests_per_minute=6_000)
    source = CatalogueSource.objects.create(seller=seller, url=url, **values)
    source.refresh_from_db()
    return source


def work() -> None:
    """Work everything off, waiting for nobody's turn."""
    while True:
        Turn.objects.all().delete()
        JobExecution.objects.filter(finished_at__isnull=True).update(next_attempt_at="2000-01-01T00:00Z")
        if not sum(bool(run_lane(lane)) for lane in LANES) and not settle() and not catch_up():
            break


def sync(source: CatalogueSource) -> Sync:
    """Go over a source once, and lead its listings on as far as they come."""
    started, _ = start_sync(source)
    work()
    started.refresh_from_db()
    return started


def stages(source: CatalogueSource) -> dict[str, str]:
    """Return where each listing is, by name."""
    return dict(Listing.objects.filter(source=source).values_list("name", "stage"))


def summary(done: Sync) -> dict[str, int]:
    """Return what became of the listings, without what there is none of."""
    names = ("new", "changed", "unchanged", "vanished", "rejected")
    return {name: getattr(done, name) for name in names if getattr(done, name)}
