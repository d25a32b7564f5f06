"""`manage.py curate_collections`."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jobs.models import JobExecution, Lane
from yellowbook.curation.days import today
from yellowbook.curation.models import CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS
from yellowbook.curation.surfaces import SURFACES

from .support import set_of, titles

pytestmark = pytest.mark.django_db(transaction=True)


def run(*options: str) -> str:
    out = StringIO()
    call_command("curate_collections", *options, stdout=out)
    return out.getvalue()


def test_it_makes_jobs_for_all_surfaces(directory: None) -> None:
    told = run()
    assert told.startswith("To be made: Home page ")
    assert JobExecution.objects.filter(kind=CURATE_COLLECTIONS).count() == len(SURFACES)


def test_it_follows_without_any_worker(directory: None) -> None:
    numbers = ("--collections-count", "2", "--businesses-per-collection", "4")
    told = run("--surface", "discovery", "--follow", *numbers, "--filter", "category=Hotel")
    row = set_of("discovery", today())
    assert all(title in told for title in titles(row))
    assert len(titles(row)) == 2
    assert row.parameters["filters"] == {"category": "Hotel"}


def test_a_dry_run_shows_and_stores_nothing(directory: None) -> None:
    told = run("--dry-run", "--surface", "home", "--collections-count", "3")
    assert "Hotel in Khatgal" in told
    assert not CollectionSet.objects.exists()
    assert not JobExecution.objects.filter(kind=CURATE_COLLECTIONS).exists()
    assert "no collections" in run("--dry-run", "--surface", "home", "--filter", "city=x")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--date", "tomorrow"], "expected one as in 2026-01-31"),
        (["--date", "1999-01-01"], "more than 30 days from today"),
        (["--collections-count", "0"], "collections_count: Input should be greater than"),
        (["--filter", "colour=red"], "filters.colour: Extra inputs"),
        (["--filter", "category"], "filters.category: String should have at least 1"),
        (["--filter", "price_level=9"], "filters.price_level: Input should be less"),
        (["--surface", "moon"], "invalid choice"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_written(db: None, options: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run(*options)
    assert not CollectionSet.objects.exists()


def test_it_does_not_wait_for_a_lane_that_is_paused(directory: None) -> None:
    Lane.objects.update_or_create(kind=CURATE_COLLECTIONS, defaults={"paused_at": "2026-01-01T00:00:00Z"})
    with pytest.raises(CommandError, match=r"(lane is paused|is paused)"):
        run("--surface", "home", "--follow")


def test_what_failed_for_good_is_told(directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        from jobs.errors import InvalidInput

        raise InvalidInput("out of order")

    monkeypatch.setattr("yellowbook.curation.handler.make", broken)
    with pytest.raises(CommandError, match="It failed for good"):
        run("--surface", "home", "--follow")
