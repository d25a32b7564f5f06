"""The page of results."""

import pytest

from embeddings import query
from jobs.errors import NetworkError
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.models import Business
from yellowbook.search.pages.results import PAGE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places(put) -> dict[str, Business]:
    made = [
        put("Blue Sky Hotel", "Hotel", city="Darkhan", price_level=4, phone="+976 7011-2233"),
        put("Sky Bakery", "Bakery", city="Darkhan", price_level=1, description="Bread and cakes, baked at night"),
        put("Хатгал Кэмп", "Жуулчны бааз", city="Хатгал", price_level=2),
    ]
    return {business.name: business for business in made}


def list_many(number: int, **changes: object) -> None:
    """Put businesses on record, in one go."""
    for each in range(number):
        Business(**values(name=f"Place {each:03}", **changes)).save()


class TestFound:
    def test_what_is_meant_comes_first_and_the_page_says_why_with_the_words_marked(self, visitor, places):
        page = visitor.see("/search", q="blue sky hotel")
        assert page.status == 200
        assert page.names[0] == "Blue Sky Hotel"
        assert "<mark>Blue</mark> <mark>Sky</mark> <mark>Hotel</mark>" in page.html
        assert "Its name" in page.text
        assert "+976 7011-2233" in page.text
        assert "tel:+97670112233" in page.read.links()
        assert "₮₮₮₮ Very expensive" in page.text

    def test_a_slip_of_the_pen_is_named(self, visitor, put):
        put("Smile Dental", "Dentist")
        page = visitor.see("/search", q="Smlie Dentla")
        assert page.names == ["Smile Dental"]
        assert "Spelling close to “Smile Dental”" in page.text
        assert "<mark>Smile</mark> <mark>Dental</mark>" in page.html

    def test_words_and_meaning_are_told_apart(self, visitor, places):
        page = visitor.see("/search", q="cakes")
        assert page.names[0] == "Sky Bakery"
        assert "Words: cakes · About the same" in page.text

    def test_facets_count_what_was_found_and_each_narrows_to_as_many(self, visitor, places):
        page = visitor.see("/search", q="sky")
        assert "Darkhan 2" in page.text
        link = next(link for link in page.read.links() if "city=Darkhan" in link)
        narrowed = visitor.see(link)
        assert sorted(narrowed.names) == ["Blue Sky Hotel", "Sky Bakery"]
        assert "City: Darkhan" in narrowed.text
        assert "/search?q=sky" in narrowed.read.links()

    def test_without_the_provider_the_page_says_that_words_alone_decided(self, visitor, places, monkeypatch):
        def refuse(*_):
            raise NetworkError("no answer")

        monkeypatch.setattr(query, "embed_texts", refuse)
        page = visitor.see("/search", q="bakery")
        assert page.names[0] == "Sky Bakery"
        assert "Showing matches by words only for now." in page.text

    def test_nothing_found_says_what_to_do(self, visitor, places):
        page = visitor.see("/search", q="hotel", city="Nowhere")
        assert page.status == 200
        assert "Nothing found." in page.text
        assert "Take a filter off" in page.text
        assert "/search?q=hotel" in page.read.links()


class TestListed:
    def test_without_a_query_all_are_listed_by_name_in_pages(self, visitor):
        list_many(PAGE + 2)
        first = visitor.see("/search")
        assert first.names == [f"Place {number:03}" for number in range(PAGE)]
        assert "22 businesses" in first.text
        assert first.read.all("link", rel="next", href="/search?page=2")
        assert first.read.all("a", rel="next", href="/search?page=2")
        second = visitor.see("/search", page=2)
        assert second.names == ["Place 020", "Place 021"]
        assert second.read.all("a", rel="prev", href="/search")
        assert second.read.all("span", **{"aria-current": "page"})
        assert "Page 2 of 2" in second.text
        assert second.read.all("ol", start="21")

    def test_filters_narrow_and_their_chips_take_them_off_one_by_one(self, visitor, places):
        page = visitor.see("/search", city="Darkhan", price_level=1)
        assert page.names == ["Sky Bakery"]
        assert {"/search?city=Darkhan", "/search?price_level=1"} <= set(page.read.links())
        assert "Price: Inexpensive" in page.text

    def test_counts_are_of_what_fits_and_follow_every_change(self, visitor, places):
        assert "Category Bakery 1 Hotel 1 Price" in visitor.see("/search", city="Darkhan").text
        list_many(2, category="Hotel", city="Darkhan")
        assert "Category Hotel 3 Bakery 1 Жуулчны бааз 1 City Darkhan 4" in visitor.see("/search").text
        assert "4 businesses" in visitor.see("/search", city="Darkhan").text


class TestBadInput:
    @pytest.mark.parametrize("page", ["abc", "0", "-1", "1e9", "١", "9" * 5000, "\x00", ""])
    def test_a_page_that_is_no_number_is_the_first(self, visitor, places, page):
        seen = visitor.see("/search", page=page)
        assert seen.status in {200, 302}
        if seen.status == 302:
            assert seen.headers["Location"] == "/search"

    def test_a_page_beyond_the_last_leads_back_to_the_last(self, visitor):
        list_many(PAGE + 1)
        assert visitor.see("/search", page=40).headers["Location"] == "/search?page=2"

    @pytest.mark.parametrize(
        "given",
        [
            {"q": "x" * 301},
            {"q": "nul\x00"},
            {"q": "\x1b[31m"},
            {"price_level": "5"},
            {"price_level": "cheap"},
            {"city": "\x00"},
            {"category": "x" * 101},
        ],
    )
    def test_what_can_not_be_searched_for_is_refused_with_a_reason_on_a_whole_page(self, visitor, given):
        page = visitor.see("/search", **given)
        assert page.status == 400
        assert page.read.all("div", role="alert")
        assert page.read.all("input", name="q")
        assert "\x00" not in page.html

    @pytest.mark.parametrize(
        "text", ["'", "\\", "& | ! ( ) :*", "%s %(x)s {x}", "🍕", "the", "   ", "\u0301", "{{ x }}"]
    )
    def test_no_text_is_an_error(self, visitor, places, text):
        assert visitor.see("/search", q=text).status == 200

    def test_bytes_that_are_no_utf_8_are_no_error(self, visitor, places):
        assert visitor.see("/search?q=%ff%fe").status == 200

    @pytest.mark.parametrize("path", ["/", "/search", "/robots.txt", "/sitemap.xml"])
    def test_pages_are_read_only(self, client, path):
        assert client.post(path).status_code == 405


class TestForSearchEngines:
    def test_queries_are_kept_out_and_lists_have_one_address(self, visitor, places):
        query = visitor.see("/search", q="sky")
        assert query.read.all("meta", name="robots", content="noindex, follow")
        listed = visitor.see("/search", utm="x", page="1", city="Darkhan", category="")
        assert not listed.read.all("meta", name="robots")
        assert listed.read.all("link", rel="canonical", href="http://testserver/search?city=Darkhan")

    def test_the_slash_of_habit_leads_to_the_address_without(self, visitor):
        assert visitor.see("/search/?q=sky").headers["Location"] == "/search?q=sky"


def test_a_page_costs_the_same_queries_whatever_is_on_it(visitor, put, django_assert_num_queries):
    for number in range(12):
        put(f"Sky {number}", "Hotel", city=f"City {number}")
    visitor.see("/search", q="warm")
    for city in ({}, {"city": "City 1"}):
        given = {"q": "sky"} | city
        with django_assert_num_queries(9):
            visitor.see("/search", **given)
        with django_assert_num_queries(5):
            visitor.see("/search", **given)
    with django_assert_num_queries(4):
        visitor.see("/search")
    with django_assert_num_queries(3):
        visitor.see("/search")
