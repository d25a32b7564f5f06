"""Catalogues in the admin: syncing one, judging a listing, and who may."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from tests.yellowbook.catalogue.syncing.support import page, shop, source_at, sync, work
from yellowbook.catalogue.models import Listing, Seller, Sync
from yellowbook.directory.services import update_business

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _near(settings):
    settings.CATALOGUE_ALLOW_PRIVATE = True


@pytest.fixture
def source(site):
    # Nobody could reach it, so the rules have a person look at it.
    site.serve("/", page(shop("Хан бууз", telephone="")))
    return source_at(site.url + "/")


@pytest.fixture
def listing(source):
    sync(source)
    listing = Listing.objects.get()
    assert listing.stage == "review"
    return listing


def address(row):
    return reverse(f"admin:catalogue_{row._meta.model_name}_change", args=[row.pk])


def test_a_catalogue_is_synced_by_a_button(admin_client, source):
    assert "It has not been synced yet." in admin_client.get(address(source)).content.decode()
    button = reverse("admin:source_sync", args=[source.pk])
    assert admin_client.get(button).status_code == 405
    told = admin_client.post(button, follow=True).content.decode()
    assert "The catalogue is being synced." in told
    assert Sync.objects.get().requested_by == "admin"
    assert "A sync of it is under way already." in admin_client.post(button, follow=True).content.decode()
    assert LogEntry.objects.get().change_message == "sync started"
    work()
    assert "completed" in admin_client.get(address(source)).content.decode()


def test_a_listing_in_review_says_why_and_is_approved(admin_client, listing):
    shown = admin_client.get(address(listing)).content.decode()
    assert listing.reason in shown
    assert "/approve/" in shown
    told = admin_client.post(reverse("admin:listing_approve", args=[listing.pk]), follow=True).content.decode()
    assert "It is being published." in told
    work()
    listing.refresh_from_db()
    assert listing.stage == "live"
    assert (
        reverse("admin:listing_approve", args=[listing.pk]) not in admin_client.get(address(listing)).content.decode()
    )
    late = admin_client.post(reverse("admin:listing_reject", args=[listing.pk]), follow=True).content.decode()
    assert "Somebody else has decided about it meanwhile." in late


def test_a_listing_is_rejected_with_a_reason(admin_client, listing):
    admin_client.post(reverse("admin:listing_reject", args=[listing.pk]), {"note": "Closed last year"})
    listing.refresh_from_db()
    assert (listing.stage, listing.reason) == ("rejected", "Closed last year")
    assert LogEntry.objects.get().change_message == "rejected (was review): Closed last year"


def test_who_may_only_look_changes_nothing(client, source, listing):
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(
        Permission.objects.filter(content_type__app_label="catalogue", codename__startswith="view")
    )
    client.force_login(reader)
    shown = client.get(address(listing))
    assert shown.status_code == 200
    assert "/approve/" not in shown.content.decode()
    for name, row in (("listing_approve", listing), ("listing_reject", listing), ("source_sync", source)):
        assert client.post(reverse(f"admin:{name}", args=[row.pk])).status_code == 403
    listing.refresh_from_db()
    assert listing.stage == "review"


def test_what_comes_from_outside_is_escaped(admin_client, source, listing):
    Listing.objects.update(name=EVIL, reason=EVIL, provenance={"url": EVIL}, told={"name": EVIL}, verdict={"x": EVIL})
    Sync.objects.update(error=EVIL, robots=EVIL)
    Seller.objects.update(name=EVIL, contact=EVIL)
    rows = (source, listing, source.seller, Sync.objects.get())
    pages = [address(row) for row in rows]
    pages += [reverse(f"admin:catalogue_{row._meta.model_name}_changelist") for row in rows]
    for path in pages:
        shown = admin_client.get(path).content.decode()
        assert EVIL not in shown, path


def test_a_listing_shows_what_the_site_says_beside_what_a_person_made_of_it(admin_client, listing):
    update_business(listing.business_id, {"description": "Шинэ тайлбар"})
    shown = admin_client.get(address(listing)).content.decode()
    assert "Хан бууз: бууз, цуйван, хуушуур" in shown
    assert "Шинэ тайлбар" in shown
    assert shown.count("edited by a person") == 1


def test_a_sync_names_the_pages_that_could_not_be_read(admin_client, site, source):
    site.serve("/", page(shop("Хан бууз"), links='<link rel="next" href="/lost">'))
    site.serve("/lost", status=403)
    done = sync(source)
    shown = admin_client.get(address(done)).content.decode()
    assert "Pages that could not be read" in shown
    assert site.url + "/lost" in shown
