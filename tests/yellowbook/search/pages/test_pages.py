"""The front page, the page of a business, and what holds for all public pages."""

import re
from itertools import pairwise
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from jobs import shared
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business
from yellowbook.search.pages import sitemaps
from yellowbook.search.pages.results import PAGE

pytestmark = pytest.mark.django_db(transaction=True)

#: Bytes of a page with its styles and script.
LIMIT = 50_000
STATIC = Path(django_settings.BASE_DIR) / "yellowbook" / "static" / "yellowbook"
EVIL = "<script>alert(1)</script>\"'&</script><!--"


def enter(**changes: object) -> Business:
    """Put a business on record."""
    business = Business(**values(**changes))
    business.save()
    return business


@pytest.fixture
def camp() -> Business:
    return enter(
        name="Хатгал Кэмп",
        category="Жуулчны бааз",
        city="Хатгал",
        description="Нуурын эрэг\nдээрх гэр",
        phone="+976 9246-8095; 70 11 22 33",
        email="info@camp.example",
        website="https://www.camp.example/mn/",
        latitude=50.44121,
        longitude=100.15858,
        price_level=2,
    )


class TestHome:
    def test_it_has_a_search_box_todays_numbers_categories_and_cities(self, visitor, camp):
        enter(name="A", category="Hotel", city="Хатгал", status="draft")
        enter(name="B", category="Hotel")
        page = visitor.see("/")
        assert page.read.all("form", action="/search")
        assert page.read.all("input", name="q", type="search")
        assert "2 businesses 2 categories 1 town or city" in page.text
        assert "Hotel 1" in page.text
        assert "/search?category=Hotel" in page.read.links()
        assert "Хатгал 1" in page.text

    def test_what_is_unpublished_is_not_counted_any_more(self, visitor, camp):
        assert "1 business " in visitor.see("/").text
        update_business(camp.pk, {"status": "unpublished"})
        assert "The book is empty so far" in visitor.see("/").text

    def test_it_costs_three_queries_and_with_kept_numbers_two(self, visitor, camp, django_assert_num_queries):
        with django_assert_num_queries(3):
            visitor.see("/")
        with django_assert_num_queries(2):
            visitor.see("/")

    def test_without_redis_it_is_the_same(self, visitor, camp, settings):
        expected = visitor.see("/").text
        settings.REDIS_URL = "unix:///nonexistent/yellowbook.sock"
        shared._client.cache_clear()
        try:
            assert visitor.see("/").text == expected
        finally:
            shared._client.cache_clear()


class TestBusiness:
    def test_it_tells_what_is_known_with_links_to_call_write_and_go_there(self, visitor, camp):
        page = visitor.see(f"/business/{camp.pk}")
        links = page.read.links()
        assert "tel:+97692468095" in links
        assert "tel:70112233" in links
        assert "mailto:info@camp.example" in links
        assert "geo:50.441210,100.158580" in links
        assert page.read.all("a", href="https://www.camp.example/mn/", rel="nofollow noopener")
        assert any(link.startswith("https://www.openstreetmap.org/?mlat=50.441210&mlon=100.158580") for link in links)
        assert "camp.example/mn" in page.text
        assert "₮₮ Moderate prices" in page.text
        assert page.read.all("link", rel="canonical", href=f"http://testserver/business/{camp.pk}")

    def test_programs_are_told_by_schema_org(self, visitor, camp):
        told = visitor.see(f"/business/{camp.pk}", language="mn").structured
        assert told == {
            "@context": "https://schema.org",
            "@type": "LocalBusiness",
            "@id": f"http://testserver/business/{camp.pk}",
            "name": "Хатгал Кэмп",
            "description": "Нуурын эрэг\nдээрх гэр",
            "url": "https://www.camp.example/mn/",
            "telephone": "+976 9246-8095, 70 11 22 33",
            "email": "info@camp.example",
            "address": {"@type": "PostalAddress", "streetAddress": camp.address, "addressLocality": "Хатгал"},
            "geo": {"@type": "GeoCoordinates", "latitude": 50.44121, "longitude": 100.15858},
            "priceRange": "₮₮",
        }

    def test_what_is_not_known_is_left_out(self, visitor):
        bare = enter(name="Bare", phone="ask Бат")
        page = visitor.see(f"/business/{bare.pk}")
        assert set(page.structured) == {"@context", "@type", "@id", "name", "url", "address"}
        assert "ask Бат" in page.text
        assert not [link for link in page.read.links() if link.startswith(("tel:", "mailto:", "geo:"))]
        assert any(link.startswith("https://www.openstreetmap.org/search?query=") for link in page.read.links())

    @pytest.mark.parametrize("status", ["draft", "pending", "unpublished"])
    def test_who_is_not_published_is_not_there_not_even_for_staff(self, visitor, admin_client, status):
        hidden = enter(name="Secret", status=status)
        page = visitor.see(f"/business/{hidden.pk}")
        assert page.status == 404
        assert "Secret" not in page.html
        assert admin_client.get(f"/business/{hidden.pk}").status_code == 404

    def test_the_slash_of_habit_leads_to_the_address_without(self, visitor, camp):
        assert visitor.see(f"/business/{camp.pk}/").headers["Location"] == f"/business/{camp.pk}"

    def test_it_costs_one_query_besides_its_sections(self, visitor, camp, settings, django_assert_num_queries):
        settings.BUSINESS_PANELS = []
        with django_assert_num_queries(1):
            visitor.see(f"/business/{camp.pk}")

    def test_features_add_sections(self, visitor, camp, settings):
        other = enter(name="Ногоон Сагс", category="Дэлгүүр")
        settings.BUSINESS_PANELS = [
            ("public/panels/businesses.html", f"{__name__}.others"),
            ("public/panels/businesses.html", f"{__name__}.nothing"),
        ]
        page = visitor.see(f"/business/{camp.pk}")
        assert page.html.count('<section class="panel">') == 1
        assert "Others Ногоон Сагс Дэлгүүр" in page.text
        assert f"/business/{other.pk}" in page.read.links()


def others(business: Business) -> dict[str, object]:
    """A section with all others."""
    return {"title": "Others", "businesses": Business.objects.exclude(pk=business.pk)}


def nothing(business: Business) -> None:
    """A section with nothing to show."""


class TestEscaping:
    @pytest.fixture
    def planted(self) -> Business:
        business = enter(name="Planted", category="Planted", city="Planted", price_level=1)
        fields = ("name", "category", "city", "address", "description", "phone", "email")
        # Past the checks of the fields, as whatever else writes the table might.
        Business.objects.filter(pk=business.pk).update(**dict.fromkeys(fields, EVIL))
        business.refresh_from_db()
        business.save()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE directory_business SET website = %s", [f"javascript:{EVIL}"])
        return business

    @pytest.mark.parametrize("path", ["/", "/search", f"/search?q={EVIL}", "/search?q=planted+alert", "/business/{pk}"])
    def test_what_is_planted_in_any_field_is_text(self, visitor, planted, path):
        page = visitor.see(path.format(pk=planted.pk))
        assert page.status == 200
        assert "alert(1)" in page.html.replace("<mark>", "").replace("</mark>", "")
        scripts = page.read.all("script")
        assert [each for each in scripts if "src" not in each and each.get("type") != "application/ld+json"] == []
        assert not re.search(r"<script>|<!--|\"'&<", page.html)
        assert not [link for link in page.read.links() if link.startswith("javascript:")]

    def test_json_ld_stays_what_it_is(self, visitor, planted):
        page = visitor.see(f"/business/{planted.pk}")
        assert page.structured["name"] == EVIL
        assert page.structured["url"] == f"http://testserver/business/{planted.pk}"

    def test_a_query_that_is_refused_is_escaped_too(self, visitor):
        page = visitor.see("/search", q=EVIL * 20)
        assert page.status == 400
        assert "<script>alert" not in page.html


class TestEveryPage:
    @pytest.fixture
    def paths(self, put) -> list[str]:
        """Pages with as much on them as there can be."""
        long = "Хөвсгөл нуурын эрэг дээрх гэр буудал, завь, морин аялал. " * 40
        for number in range(70):
            business = enter(
                name=f"Хатгал кэмп, амралтын газар {number}",
                category=f"Жуулчны бааз, зочид буудал {number}",
                city=f"Хатгал тосгон {number}",
                address="Хөвсгөл аймаг, Хатгал тосгон, Нуурын эрэг, 3-р баг, 12-р байр",
                phone="+976 9246-8095",
                description=long,
                price_level=1 + number % 4,
                email="info@camp.example",
                website="https://camp.example",
                latitude=50.0,
                longitude=100.0,
            )
        return [
            "/",
            "/search",
            "/search?q=Хатгал+кэмп+аялал",
            "/search?q=x&city=y",
            f"/business/{business.pk}",
            "/nothing",
        ]

    def test_with_its_styles_and_script_it_is_under_50_kb(self, visitor, paths):
        parts = sum(len((STATIC / name).read_bytes()) for name in ("public.css", "public.js", "icon.svg"))
        sizes = {path: len(visitor.see(path, language="mn").html.encode()) + parts for path in paths}
        assert {path: size for path, size in sizes.items() if size >= LIMIT} == {}
        assert len(visitor.see(paths[2]).names) == PAGE

    def test_headings_landmarks_labels_and_the_skip_link_are_in_order(self, visitor, paths):
        for path in paths:
            read = visitor.see(path).read
            levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
            assert levels.count(1) == 1, path
            assert levels[0] == 1, path
            assert all(after - before <= 1 for before, after in pairwise(levels)), path
            assert all(len(read.all(tag)) == 1 for tag in ("header", "main", "footer")), path
            assert read.links()[0] == "#content", path
            assert read.all("main", id="content"), path
            assert read.all("label", **{"for": "q"}), path
            ids = [found["id"] for _, found in read.tags if "id" in found]
            assert len(ids) == len(set(ids)), path

    def test_nothing_of_it_comes_from_elsewhere_or_stands_in_the_page(self, visitor, paths):
        for path in paths:
            page = visitor.see(path)
            sources = [
                found.get("src") or found.get("href") for tag in ("script", "img") for found in page.read.all(tag)
            ]
            sources += [found["href"] for found in page.read.all("link") if found["rel"] in {"stylesheet", "icon"}]
            assert [source for source in sources if source and not source.startswith("/static/")] == [], path
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=", page.html), path
            assert "'unsafe" not in page.headers["Content-Security-Policy"], path

    def test_it_is_in_the_readers_language_and_says_that_it_differs_by_it(self, visitor, paths):
        for path in paths:
            for language, told in (("en", "For staff"), ("mn", "Ажилтанд")):
                page = visitor.see(path, language=language)
                assert f'<html lang="{language}">' in page.html, path
                assert told in page.text, path
                assert {"Accept-Language", "Cookie"} <= set(page.headers["Vary"].split(", ")), path
                assert not page.read.all("link", rel="alternate"), path

    def test_what_is_in_another_language_than_the_page_says_so(self, visitor, paths):
        assert visitor.see(paths[4], language="en").read.all("h1", lang="mn")
        assert not visitor.see(paths[4], language="mn").read.all("h1", lang="mn")

    def test_the_switch_of_language_leads_back_to_the_page(self, visitor, paths):
        page = visitor.see("/search?q=x&city=y")
        assert page.read.all("input", name="next", value="/search?q=x&city=y")
        assert page.read.all("button", name="language", value="en", **{"aria-current": "true"})
        answer = visitor.client.post("/i18n/setlang/", {"language": "mn", "next": "/search?q=x&city=y"})
        assert answer.headers["Location"] == "/search?q=x&city=y"
        assert '<html lang="mn">' in visitor.see("/search?q=x&city=y").html


class TestErrors:
    def test_a_path_that_leads_nowhere_has_a_page_of_the_same_look(self, visitor):
        page = visitor.see("/nothing")
        assert page.status == 404
        assert "This page is not in the book" in page.text
        assert page.read.all("input", name="q")
        assert visitor.see(f"/business/{uuid4()}").status == 404

    def test_a_defect_of_ours_has_one_too(self, client, monkeypatch):
        monkeypatch.setattr("yellowbook.search.pages.views.counts", None)
        client.raise_request_exception = False
        answer = client.get("/", headers={"Accept-Language": "mn"})
        assert answer.status_code == 500
        assert "Манай талд алдаа гарлаа" in answer.content.decode()

    def test_a_host_that_is_not_ours_and_a_missing_cookie_have_one_too(self):
        assert "This request can't be read" in Client().get("/", headers={"host": "elsewhere.example"}).content.decode()
        answer = Client(enforce_csrf_checks=True).post("/i18n/setlang/", {"language": "mn"})
        assert answer.status_code == 403
        assert "too old" in answer.content.decode()

    def test_programs_keep_their_envelope(self, client):
        assert client.get("/api/nothing").json()["error"]["code"] == "not_found"


class TestForSearchEngines:
    NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}

    def addresses(self, visitor, path: str) -> list[str]:
        page = visitor.see(path)
        assert page.headers["Content-Type"] == "application/xml"
        return [found.text for found in ET.fromstring(page.html).iterfind(".//s:loc", self.NAMES)]

    @pytest.mark.parametrize("one_digit", [sitemaps.ONE_DIGIT_UP_TO, 0])
    def test_the_sitemap_has_every_published_business_once(self, visitor, monkeypatch, one_digit):
        monkeypatch.setattr(sitemaps, "ONE_DIGIT_UP_TO", one_digit)
        published = {str(enter(name=f"P{number}").pk) for number in range(20)}
        enter(name="Hidden", status="draft")
        parts = self.addresses(visitor, "/sitemap.xml")
        assert len(parts) == (256 if one_digit == 0 else 16)
        listed = [found for part in parts for found in self.addresses(visitor, part.removeprefix("http://testserver"))]
        assert sorted(listed) == sorted(
            ["http://testserver/", *(f"http://testserver/business/{pk}" for pk in published)]
        )

    def test_a_part_costs_one_query_and_skips_nothing(self, visitor, django_assert_num_queries):
        enter(name="One")
        with django_assert_num_queries(1):
            visitor.see("/sitemap-0.xml")

    def test_addresses_are_those_that_the_outside_knows(self, visitor, camp, settings):
        settings.PUBLIC_URL = "https://book.example/"
        assert "Sitemap: https://book.example/sitemap.xml" in visitor.see("/robots.txt").html
        assert f"https://book.example/business/{camp.pk}" in visitor.see(f"/business/{camp.pk}").html

    def test_robots_are_told_what_is_none_of_their_business(self, visitor):
        page = visitor.see("/robots.txt")
        assert page.headers["Content-Type"].startswith("text/plain")
        assert "Disallow: /admin/" in page.html

    def test_there_is_an_icon(self, visitor):
        assert visitor.see("/favicon.ico").headers["Location"] == "/static/yellowbook/icon.svg"
