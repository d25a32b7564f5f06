"""How far a sync has come."""

from dataclasses import dataclass

from django.db.models import Count

from yellowbook.catalogue.models import Page, Sync


@dataclass(frozen=True, slots=True)
class Progress:
    """Pages of a sync by state, and the share of those found so far that are done, in percent."""

    pages: dict[str, int]
    percentage: float


def progress_of(sync: Sync) -> Progress:
    """Return how far a sync has come. Pages belong to the last sync that went over them: earlier ones show none."""
    rows = Page.objects.filter(sync=sync).values_list("state").annotate(pages=Count("pk"))
    pages = dict(rows)
    total = sum(pages.values())
    if sync.state not in Sync.UNDER_WAY:
        return Progress(pages, 100.0)
    done = total - pages.get(Page.State.WAITING, 0)
    return Progress(pages, round(100 * done / total, 1) if total else 0.0)
