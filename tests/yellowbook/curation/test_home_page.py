"""Collections on the public home page."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.yellowbook.search.pages.conftest import Visitor
from yellowbook.curation.days import today
from yellowbook.curation.models import Rule
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.services import regenerate
from yellowbook.directory.models import Business
from yellowbook.directory.services import delete_business, update_business

from .support import enter, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visitor(client: Client) -> Visitor:
    return Visitor(client)


def test_it_shows_the_collections_of_the_day_in_the_readers_language(visitor: Visitor, directory: None) -> None:
    assert "Hotel in Khatgal" not in visitor.see("/").text
    regenerate("home", today(), Parameters(collections_count=3))
    work()
    page = visitor.see("/")
    assert "<h2>Hotel in Khatgal</h2>" in page.html
    assert page.html.count("/business/") == 18
    assert "<h2>Khatgal: Hotel</h2>" in visitor.see("/", "mn").html


def test_who_was_unpublished_or_deleted_is_gone_at_once(visitor: Visitor, directory: None) -> None:
    regenerate("home", today(), Parameters(collections_count=1, businesses_per_collection=3))
    work()
    page = visitor.see("/").html
    one, other, _ = [business for business in Business.objects.all() if f"/business/{business.pk}" in page]
    update_business(one.pk, {"status": "unpublished"})
    delete_business(other.pk)
    assert visitor.see("/").html.count("/business/") == 1


def test_what_others_wrote_is_escaped(visitor: Visitor, db: None) -> None:
    evil = "<script>alert(1)</script>"
    enter(0, 3, category=evil, city=evil)
    Rule.objects.create(title_mn=evil, title_en=evil, category=evil)
    regenerate("home", today(), Parameters())
    work()
    page = visitor.see("/").html
    assert evil not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_full_page_stays_small(visitor: Visitor, settings: Any, db: None) -> None:
    for number in range(30):
        enter(number, 8, category=f"Монгол хоолны ресторан, зоогийн газар {number}", city=f"Баянхонгор {number}")
    regenerate("home", today(), Parameters())
    work()
    page = visitor.see("/", "mn")
    static = sum(
        (django_settings.BASE_DIR / "yellowbook/static/yellowbook" / name).stat().st_size
        for name in ("public.css", "public.js")
    )
    assert page.html.count("/business/") == 36
    assert len(page.html.encode()) + static < 50_000
