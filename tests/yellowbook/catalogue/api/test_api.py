"""`/api/catalogue`: what staff does, and what a seller sees of its own."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.yellowbook.catalogue.syncing.support import page, shop, source_at, sync
from yellowbook.catalogue.models import CatalogueSource, Listing, Seller, Sync

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _near(settings):
    settings.CATALOGUE_ALLOW_PRIVATE = True


@pytest.fixture
def staff():
    client = APIClient()
    client.force_authenticate(User.objects.create_user("staff", is_staff=True))
    return client


@pytest.fixture
def owner():
    return User.objects.create_user("болд")


@pytest.fixture
def mine(owner):
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def source(site):
    return source_at(site.url + "/")


def test_staff_registers_a_seller_and_its_catalogue(staff, owner):
    answer = staff.post("/api/catalogue/sellers", {"name": "Номин", "owner": "болд", "tier": "premium"}, format="json")
    assert answer.status_code == 201
    seller = answer.json()
    assert (seller["owner"], seller["tier"], seller["requests_per_minute"]) == ("болд", "premium", 120)
    given = {"seller_id": seller["id"], "url": "https://nomin.mn/catalogue", "interval_hours": 6}
    answer = staff.post("/api/catalogue/sources", given, format="json")
    assert answer.status_code == 201
    assert answer.json()["interval_hours"] == 6
    path = f"/api/catalogue/sources/{answer.json()['id']}"
    assert staff.patch(path, {"is_active": False}, format="json").json()["is_active"] is False
    again = staff.post("/api/catalogue/sources", given, format="json")
    assert (again.status_code, list(again.json()["error"]["fields"])) == (400, ["url"])
    assert staff.delete(f"/api/catalogue/sellers/{seller['id']}").status_code == 204
    assert not CatalogueSource.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("url", url) for url in ("ftp://a.mn/", "https://u:p@a.mn/", "file:///etc/passwd", "", 3, None)),
        *(("interval_hours", hours) for hours in (0, 8_761, "24", True, 1.5)),
        *(("is_active", flag) for flag in ("yes", 1, None)),
        *(("seller_id", seller) for seller in ("x", "00000000-0000-0000-0000-000000000000", None)),
    ],
)
def test_wrong_fields_are_named(staff, field, value):
    seller = Seller.objects.create(name="Номин")
    given = {"seller_id": str(seller.pk), "url": "https://nomin.mn/", field: value}
    answer = staff.post("/api/catalogue/sources", given, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_a_sync_is_started_followed_and_summed_up(staff, site, source):
    site.serve("/", page(shop("Хан бууз")))
    answer = staff.post(f"/api/catalogue/sources/{source.pk}/sync")
    assert answer.status_code == 202
    started = answer.json()
    assert (started["state"], started["requested_by"], started["progress_percentage"]) == ("discovering", "staff", 0.0)
    again = staff.post(f"/api/catalogue/sources/{source.pk}/sync")
    assert (again.status_code, again.json()["id"]) == (200, started["id"])
    sync(source)
    told = staff.get(f"/api/catalogue/syncs/{started['id']}").json()
    assert (told["state"], told["new"], told["progress_percentage"], told["pages"]) == (
        "completed",
        1,
        100.0,
        {"read": 1},
    )
    assert [each["id"] for each in staff.get(f"/api/catalogue/syncs?source_id={source.pk}").json()["results"]] == [
        started["id"]
    ]


def test_a_listing_says_why_it_is_not_live(staff, site, source):
    nameless = shop("Хаяггүй")
    del nameless["address"]
    site.serve("/", page(shop("Хан бууз"), nameless))
    sync(source)
    (row,) = staff.get("/api/catalogue/listings?stage=invalid").json()["results"]
    told = staff.get(f"/api/catalogue/listings/{row['id']}").json()
    assert (told["why"]["stage"], told["why"]["owner"]) == ("invalid", "seller")
    assert "address" in told["why"]["reason"]
    assert told["told"]["name"] == "Хаяггүй"


def test_a_seller_sees_its_own_and_nothing_else(mine, owner, site, source):
    site.serve("/", page(shop("Хан бууз")))
    sync(source)
    other = source_at("https://other.mn/")
    paths = [
        "sellers",
        "sources",
        "syncs",
        "listings",
    ]
    rows = (source.seller, source, Sync.objects.get(), Listing.objects.get())
    assert [mine.get(f"/api/catalogue/{path}").json()["results"] for path in paths] == [[], [], [], []]
    assert [mine.get(f"/api/catalogue/{path}/{row.pk}").status_code for path, row in zip(paths, rows, strict=True)] == [
        404
    ] * 4
    Seller.objects.filter(pk=source.seller_id).update(owner=owner)
    assert [[each["id"] for each in mine.get(f"/api/catalogue/{path}").json()["results"]] for path in paths] == [
        [str(row.pk)] for row in rows
    ]
    assert mine.get(f"/api/catalogue/sources/{other.pk}").status_code == 404
    for method, path in (
        ("post", "/api/catalogue/sellers"),
        ("patch", f"/api/catalogue/sources/{source.pk}"),
        ("delete", f"/api/catalogue/sources/{source.pk}"),
        ("post", f"/api/catalogue/sources/{source.pk}/sync"),
        ("post", f"/api/catalogue/listings/{rows[3].pk}/approve"),
    ):
        assert getattr(mine, method)(path, {}, format="json").status_code == 403
    assert APIClient().get("/api/catalogue/sources").status_code == 401
