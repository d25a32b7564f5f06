"""A source is gone over: from its first page to businesses that are live."""

import pytest

from embeddings.models import Embedding
from jobs.deadletters import retry_one
from jobs.lifecycle.circuit import MAX_REJECTIONS
from jobs.models import DeadLetter, JobExecution, Lane
from tests.yellowbook.catalogue.syncing.support import page, shop, sitemap, source_at, stages, summary, sync, work
from yellowbook.catalogue.models import Listing, Page, Sync
from yellowbook.catalogue.syncing.begin import start_due, start_sync
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business
from yellowbook.search.filters import Filters
from yellowbook.search.search import search

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _near(settings):
    settings.CATALOGUE_ALLOW_PRIVATE = True
    settings.CATALOGUE_TIMEOUT = 5.0


@pytest.fixture
def source(site):
    return source_at(site.url + "/")


def test_the_pages_of_a_site_become_businesses_that_search_finds(site, source):
    site.serve("/", page(shop("Хан бууз"), links='<link rel="next" href="/more">'))
    site.serve("/more", page(shop("Номин кафе", **{"@type": "CafeOrCoffeeShop"})))
    site.serve("/third", page(shop("Мөрөн зочид буудал", **{"@type": "Hotel"})))
    sitemap(site, "/", "/third")

    done = sync(source)

    assert (done.state, summary(done)) == ("completed", {"new": 3})
    assert stages(source) == dict.fromkeys(("Хан бууз", "Номин кафе", "Мөрөн зочид буудал"), "live")
    business = Business.objects.get(name="Хан бууз")
    assert (business.status, business.city, business.address) == (
        "published",
        "Мөрөн",
        "Мөрөн, Энхтайваны өргөн чөлөө 12",
    )
    assert search("хан бууз", Filters()).results[0].business == business
    listing = Listing.objects.get(business=business)
    assert listing.provenance["parser"] == "json-ld"
    assert listing.provenance["url"] == site.url + "/"
    assert listing.verdict["decision"] == "approved"
    source.refresh_from_db()
    assert source.last_synced_at is not None
    assert (source.next_sync_at - source.last_synced_at).total_seconds() == 86_400


def test_a_second_sync_writes_nothing_of_what_is_as_it_was(site, source, django_assert_num_queries):
    site.serve("/", page(shop("Хан бууз"), shop("Номин кафе")), ETag='"1"')
    sync(source)
    before = list(Listing.objects.order_by("pk").values())
    businesses = list(Business.objects.order_by("pk").values())
    vectors = list(Embedding.objects.order_by("pk").values("id", "created_at"))
    jobs = JobExecution.objects.exclude(kind__in=["sync_source", "scrape_catalogue"]).count()
    site.serve("/", status=304)

    done = sync(source)

    assert (done.state, summary(done)) == ("completed", {"unchanged": 2})
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    site.serve("/", page(shop("Хан бууз"), shop("Номин кафе")))
    assert summary(sync(source)) == {"unchanged": 2}
    assert list(Listing.objects.order_by("pk").values()) == before
    assert list(Business.objects.order_by("pk").values()) == businesses
    assert list(Embedding.objects.order_by("pk").values("id", "created_at")) == vectors
    assert JobExecution.objects.exclude(kind__in=["sync_source", "scrape_catalogue"]).count() == jobs


def test_what_has_changed_is_written_and_checked_again(site, source):
    site.serve("/", page(shop("Хан бууз"), shop("Номин кафе")))
    sync(source)
    site.serve("/", page(shop("Хан бууз", description="Шинэ цэс"), shop("Номин кафе", telephone="+976 9911 0000")))

    done = sync(source)

    assert summary(done) == {"changed": 2}
    assert Business.objects.get(name="Хан бууз").description == "Шинэ цэс"
    # No text of it has changed, so no vector: it is checked at once.
    assert "9911" in Business.objects.get(name="Номин кафе").phone
    assert set(stages(source).values()) == {"live"}
    checked = JobExecution.objects.filter(kind="quality_control", result="approved")
    assert checked.count() == 4


def test_a_field_that_a_person_has_edited_is_never_overwritten(site, source):
    site.serve("/", page(shop("Хан бууз")))
    sync(source)
    business = Business.objects.get()
    update_business(business.pk, {"phone": "+976 1111 1111", "description": "Бидний бичсэн"})
    site.serve("/", page(shop("Хан бууз", description="Шинэ цэс", telephone="+976 2222 2222", priceRange="$$")))
    sync(source)
    business.refresh_from_db()
    assert (business.phone, business.description, business.price_level) == ("+976 1111 1111", "Бидний бичсэн", 2)


def test_what_a_person_has_unpublished_stays_so(site, source):
    site.serve("/", page(shop("Хан бууз")))
    sync(source)
    business = Business.objects.get()
    update_business(business.pk, {"status": "unpublished"})
    site.serve("/", page(shop("Хан бууз", description="Шинэ цэс")))
    sync(source)
    business.refresh_from_db()
    assert business.status == "unpublished"
    assert stages(source) == {"Хан бууз": "held"}


def test_a_business_that_a_person_has_deleted_does_not_come_back(site, source):
    site.serve("/", page(shop("Хан бууз")))
    sync(source)
    Business.objects.get().delete()
    site.serve("/", page(shop("Хан бууз", description="Шинэ цэс")))
    sync(source)
    assert not Business.objects.exists()
    assert stages(source) == {"Хан бууз": "held"}


def test_what_three_syncs_do_not_name_is_unpublished_and_comes_back(site, source):
    both, one = page(shop("Хан бууз"), shop("Номин кафе")), page(shop("Хан бууз"))
    site.serve("/", both)
    sync(source)
    site.serve("/", one)
    assert [summary(sync(source)).get("vanished", 0) for _ in range(2)] == [0, 0]
    assert stages(source)["Номин кафе"] == "live"
    assert summary(sync(source)) == {"unchanged": 1, "vanished": 1}
    assert stages(source) == {"Хан бууз": "live", "Номин кафе": "vanished"}
    assert Business.objects.get(name="Номин кафе").status == "unpublished"
    assert [hit.business.name for hit in search("номин кафе", Filters()).results] == ["Хан бууз"]

    site.serve("/", both)
    sync(source)
    assert stages(source)["Номин кафе"] == "live"
    assert Business.objects.get(name="Номин кафе").status == "published"


def test_a_page_that_fails_makes_nothing_vanish(site, source):
    sitemap(site, "/", "/other")
    site.serve("/", page(shop("Хан бууз")))
    site.serve("/other", page(shop("Номин кафе")))
    sync(source)
    site.serve("/other", status=500)
    for _ in range(4):
        done = sync(source)
    assert (done.state, done.vanished) == ("completed", 0)
    assert stages(source) == {"Хан бууз": "live", "Номин кафе": "live"}
    failed = Page.objects.get(url=site.url + "/other")
    assert (failed.state, failed.told) == ("failed", ["#Номин кафе"]) or failed.told
    assert "500" in failed.error


def test_an_invalid_listing_is_a_dead_letter_and_its_neighbours_go_live(site, source):
    nameless = shop("Хаяггүй")
    del nameless["address"]
    site.serve("/", page(shop("Хан бууз"), nameless))
    done = sync(source)
    assert summary(done) == {"new": 1, "rejected": 1}
    assert stages(source) == {"Хан бууз": "live", "Хаяггүй": "invalid"}
    letter = DeadLetter.objects.get()
    assert letter.kind == "quality_control"
    assert "address" in letter.failure_reason
    site.serve("/", page(shop("Хан бууз"), shop("Хаяггүй")))
    sync(source)
    assert stages(source)["Хаяггүй"] == "live"


def test_robots_txt_is_respected(site, source):
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /secret\n")
    site.serve("/", page(shop("Хан бууз"), links='<link rel="next" href="/secret">'))
    sitemap(site, "/", "/secret")
    assert sync(source).state == "completed"
    assert "/secret" not in site.paths()

    site.serve("/robots.txt", b"User-agent: *\nDisallow: /\n")
    done = sync(source)
    assert (done.state, site.paths()[-1]) == ("failed", "/robots.txt")
    assert "robots.txt" in done.error


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/loop", "circle"),
        ("/away", "another site"),
        ("/gone", ""),
        ("/big", "at most 50,000"),
        ("/private", "another site"),
    ],
)
def test_a_page_that_can_not_be_had_costs_only_itself(site, source, settings, path, told):
    settings.CATALOGUE_PAGE_BYTES = 50_000
    site.serve("/", page(shop("Хан бууз")))
    sitemap(site, "/", path)
    site.redirect("/loop", "/loop")
    site.redirect("/away", "http://example.com/")
    site.redirect("/private", "http://10.0.0.1/admin")
    site.serve("/big", b" " * 60_000)
    done = sync(source)
    assert (done.state, summary(done)) == ("completed", {"new": 1})
    assert told in Page.objects.get(url=site.url + path).error


def test_a_site_that_refuses_everything_pauses_no_lane(site, source):
    paths = [f"/{number}" for number in range(MAX_REJECTIONS + 5)]
    sitemap(site, *paths)
    for path in ("/", *paths):
        site.serve(path, status=403)
    done = sync(source)
    assert (done.state, done.pages.filter(state="failed").count()) == ("failed", len(paths) + 1)
    assert not Lane.objects.filter(paused_at__isnull=False).exists()
    assert "403" in done.error


def test_broken_json_ld_microdata_and_cyrillic_are_read(site, source):
    broken = (
        b'<script type="application/ld+json">{"@type": "Restaurant", "name": "\xd0\xa5\xd0\xb0\xd0\xbd", }</script>'
    )
    microdata = (
        '<div itemscope itemtype="https://schema.org/Store"><b itemprop="name">Дэлгүүр Од</b>'
        '<span itemprop="address">Сүхбаатарын талбай 1</span><i itemprop="telephone">+976 7012 3456</i></div>'
    ).encode()
    site.serve("/", page(shop("Хан бууз")) + broken + microdata)
    sync(source)
    assert stages(source) == {"Хан бууз": "live", "Дэлгүүр Од": "live", "Хан": "invalid"}


def test_a_page_that_could_not_be_read_is_read_when_its_dead_letter_is_retried(site, source):
    sitemap(site, "/", "/other")
    site.serve("/", page(shop("Хан бууз")))
    site.serve("/other", status=403)
    sync(source)
    assert stages(source) == {"Хан бууз": "live"}
    site.serve("/other", page(shop("Номин кафе"), links='<link rel="next" href="/more">'))
    retry_one(DeadLetter.objects.get().job_id, triggered_by="болд")
    work()
    assert stages(source) == {"Хан бууз": "live", "Номин кафе": "live"}
    assert "/more" not in site.paths()
    assert Sync.objects.get().new == 2


def test_a_sync_that_could_not_begin_goes_on_when_its_dead_letter_is_retried(site, source):
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /\n")
    site.serve("/", page(shop("Хан бууз")))
    assert sync(source).state == "failed"
    site.serve("/robots.txt", b"")
    retry_one(DeadLetter.objects.get().job_id, triggered_by="болд")
    work()
    assert Sync.objects.get().state == "completed"
    assert stages(source) == {"Хан бууз": "live"}


def test_only_one_sync_of_a_source_is_under_way(site, source):
    site.serve("/", page(shop("Хан бууз")))
    first, new = start_sync(source)
    assert new
    assert start_sync(source) == (first, False)
    assert start_due() == 0
    work()
    assert Sync.objects.get().state == "completed"


def test_what_is_due_is_synced_by_itself(site, source):
    site.serve("/", page(shop("Хан бууз")))
    resting = source_at(site.url + "/other", is_active=False)
    assert start_due() == 1
    work()
    assert stages(source) == {"Хан бууз": "live"}
    assert not resting.syncs.exists()
    assert start_due() == 0


def test_a_premium_seller_comes_first(site, source):
    source.seller.tier = "premium"
    source.seller.save()
    site.serve("/", page(shop("Хан бууз")))
    sync(source)
    kinds = ["sync_source", "scrape_catalogue", "quality_control", "index_business"]
    found = JobExecution.objects.filter(kind__in=kinds).values_list("kind", "priority")
    assert sorted(found) == sorted((kind, 0) for kind in kinds)
