"""From a merged listing to a live one: verdicts, people, failures, and why it is not live."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from jobs.errors import ServerError
from jobs.execute import run_lane
from jobs.lifecycle import StateConflict
from jobs.models import JobExecution
from tests.yellowbook.catalogue.syncing.support import page, shop, source_at, sync, work
from yellowbook.catalogue.models import Listing
from yellowbook.catalogue.quality.verdict import Decision, Verdict
from yellowbook.catalogue.stages import check as checking
from yellowbook.catalogue.stages.kinds import INDEX_BUSINESS, QUALITY_CONTROL
from yellowbook.catalogue.stages.review import approve, reject
from yellowbook.catalogue.stages.why import Owner, why
from yellowbook.catalogue.syncing.begin import SYNC_SOURCE, start_sync
from yellowbook.catalogue.syncing.discover import SCRAPE_CATALOGUE
from yellowbook.directory.services import update_business

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _near(settings):
    settings.CATALOGUE_ALLOW_PRIVATE = True


@pytest.fixture
def judged(monkeypatch):
    """Let quality control decide as told, and note whom it was asked about."""
    asked = []

    def judge(decision, *reasons):
        def check(business_id, budget=None):
            asked.append(business_id)
            if isinstance(decision, Exception):
                raise decision
            return Verdict(
                decision=decision, reasons=reasons, confidence=0.8, checker="rules", prompt_version="1", blocked=False
            )

        monkeypatch.setattr(checking, "check", check)
        return asked

    return judge


@pytest.fixture
def source(site):
    site.serve("/", page(shop("Хан бууз")))
    return source_at(site.url + "/")


def test_a_flagged_listing_waits_for_a_person(source, judged):
    User.objects.create_user("болд")
    judged(Decision.FLAGGED, "It looks like another one.")
    sync(source)
    listing = Listing.objects.get()
    assert (listing.stage, listing.business.status) == ("review", "pending")
    assert (why(listing).owner, why(listing).reason) == (Owner.EDITOR, "It looks like another one.")
    approve(listing.pk, by="болд", note="It is a branch")
    work()
    listing.refresh_from_db()
    assert (listing.stage, listing.business.status) == ("live", "published")
    assert why(listing).owner is Owner.NOBODY
    assert LogEntry.objects.get().change_message == "approved (was review): It is a branch"
    with pytest.raises(StateConflict, match="The listing is live"):
        reject(listing.pk, by="болд")


def test_a_rejected_change_takes_a_live_listing_out_of_sight(site, source, judged):
    judged(Decision.APPROVED)
    sync(source)
    judged(Decision.REJECTED, "It sells loans.")
    site.serve("/", page(shop("Хан бууз", description="Хурдан зээл")))
    sync(source)
    listing = Listing.objects.get()
    assert (listing.stage, listing.reason, listing.business.status) == ("rejected", "It sells loans.", "unpublished")
    assert listing.verdict["decision"] == "rejected"
    approve(listing.pk, by="nobody")
    work()
    listing.refresh_from_db()
    assert (listing.stage, listing.business.status) == ("live", "published")


def test_a_check_that_fails_is_tried_again_and_says_so(source, judged):
    judged(ServerError("The model is away."))
    start_sync(source)
    for lane in (SYNC_SOURCE, SCRAPE_CATALOGUE, "generate_embedding", QUALITY_CONTROL):
        run_lane(lane)
    told = why(Listing.objects.get())
    assert (told.stage, told.owner) == ("quality", Owner.SYSTEM)
    assert "The model is away." in told.reason
    assert told.next_attempt_at is not None
    judged(Decision.APPROVED)
    work()
    assert Listing.objects.get().stage == "live"


def test_a_listing_that_changes_while_it_is_checked_is_checked_again(source, monkeypatch, judged):
    judged(Decision.APPROVED)
    decide = vars(checking)["check"]

    def change_meanwhile(business_id, budget=None):
        Listing.objects.update(told_hash="f" * 64)
        return decide(business_id)

    monkeypatch.setattr(checking, "check", change_meanwhile)
    start_sync(source)
    for lane in (SYNC_SOURCE, SCRAPE_CATALOGUE, "generate_embedding", QUALITY_CONTROL):
        run_lane(lane)
    assert Listing.objects.get().stage == "quality"
    assert JobExecution.objects.get(kind=QUALITY_CONTROL).result == "outdated"


def test_publishing_respects_what_a_person_has_decided_meanwhile(source, judged):
    judged(Decision.APPROVED)
    start_sync(source)
    for lane in (SYNC_SOURCE, SCRAPE_CATALOGUE, "generate_embedding", QUALITY_CONTROL):
        run_lane(lane)
    listing = Listing.objects.get()
    assert why(listing).stage == "indexing"
    update_business(listing.business_id, {"status": "draft"})
    assert run_lane(INDEX_BUSINESS)
    listing.refresh_from_db()
    assert (listing.stage, listing.business.status) == ("held", "draft")
    assert why(listing).owner is Owner.EDITOR


def test_a_dead_job_is_the_operators(source):
    start_sync(source)
    for lane in (SYNC_SOURCE, SCRAPE_CATALOGUE):
        run_lane(lane)
    listing = Listing.objects.get()
    assert (why(listing).stage, why(listing).owner) == ("embedding", Owner.SYSTEM)
    JobExecution.objects.filter(kind="generate_embedding").update(
        status="dead", error_class="auth", error="API key not valid", finished_at="2026-01-01T00:00Z"
    )
    assert why(listing).owner is Owner.OPERATOR
    assert "API key not valid" in why(listing).reason


def test_a_live_listing_whose_business_a_person_unpublishes_says_so(source, judged):
    judged(Decision.APPROVED)
    sync(source)
    listing = Listing.objects.get()
    assert why(listing).owner is Owner.NOBODY
    update_business(listing.business_id, {"status": "unpublished"})
    assert (why(listing).stage, why(listing).owner) == ("held", Owner.EDITOR)
