"""What of catalogues is kept, what must hold of them, and what operators may do."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db.models import F

from jobs.execute import run_lane
from jobs.lifecycle import cancel
from jobs.models import JobExecution
from jobs.upkeep.audit import invariants
from jobs.upkeep.pruners import prune
from tests.yellowbook.catalogue.syncing.support import page, shop, source_at, sync, work
from yellowbook.catalogue.models import Listing, Page, Sync
from yellowbook.catalogue.stages.kinds import QUALITY_CONTROL
from yellowbook.catalogue.syncing.begin import SYNC_SOURCE, start_sync
from yellowbook.catalogue.syncing.discover import SCRAPE_CATALOGUE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _near(settings):
    settings.CATALOGUE_ALLOW_PRIVATE = True


@pytest.fixture
def source(site):
    site.serve("/", page(shop("Хан бууз")))
    return source_at(site.url + "/")


def test_old_syncs_go_but_for_the_last_one_and_take_nothing_along(source, settings):
    settings.RETENTION_SYNCS_DAYS = 90
    first, second = sync(source), sync(source)
    Sync.objects.update(started_at=F("started_at") - timedelta(days=91), finished_at=F("finished_at"))
    assert "syncs" not in prune(), "they have not ended so long ago"
    Sync.objects.update(finished_at=F("finished_at") - timedelta(days=91))
    assert prune()["syncs"] == 1
    assert Sync.objects.get() == second != first
    assert (Page.objects.count(), Listing.objects.get().stage) == (1, "live")


def test_a_listing_whose_job_was_called_off_is_found_and_led_on(source):
    (invariant,) = [each for each in invariants() if each.name == "listings_on_their_way_have_job"]
    start_sync(source)
    for lane in (SYNC_SOURCE, SCRAPE_CATALOGUE, "generate_embedding"):
        run_lane(lane)
    listing = Listing.objects.get()
    assert (listing.stage, invariant.find(10).count) == ("quality", 0)
    cancel(JobExecution.objects.get(kind=QUALITY_CONTROL).pk, by="операторч")
    assert invariant.find(10).examples == [str(listing.pk)]
    assert invariant.repair is not None
    assert invariant.repair() == 1
    assert invariant.find(10).count == 0
    work()
    listing.refresh_from_db()
    assert listing.stage == "live"


def test_operators_keep_catalogues_and_readers_look_at_them():
    def may(group):
        permissions = Group.objects.get(name=group).permissions.filter(content_type__app_label="catalogue")
        return set(permissions.values_list("codename", flat=True))

    seen = {"view_seller", "view_cataloguesource", "view_sync", "view_page", "view_listing"}
    done = {"add_seller", "change_seller", "add_cataloguesource", "change_cataloguesource", "change_listing"}
    assert (may("Operators (read only)"), may("Operators")) == (seen, seen | done)
