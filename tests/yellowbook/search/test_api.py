"""`/api/search`."""

import pytest
from rest_framework.test import APIClient

from tests.jobs.api.conftest import error_of
from tests.yellowbook.search.conftest import embed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places(put):
    return [put("Blue Sky Hotel", "Hotel", city="Darkhan", price_level=3), put("Sky Bakery", "Bakery", city="Erdenet")]


@pytest.fixture
def visitor() -> APIClient:
    return APIClient()


def test_everybody_may_search(visitor, places):
    answer = visitor.get("/api/search", {"q": "blue sky hotel", "limit": 5})
    assert answer.status_code == 200
    told = answer.json()
    assert set(told) == {"results", "total", "ranking", "took_ms", "cached"}
    assert [each["business"]["name"] for each in told["results"]] == ["Blue Sky Hotel", "Sky Bakery"]
    first = told["results"][0]
    assert set(first) == {"business", "score", "why"}
    assert first["business"]["id"] == str(places[0].pk)
    assert 0 < first["score"] <= 1
    assert first["why"] == ["name", "meaning"]
    assert (told["total"], told["ranking"], told["cached"]) == (2, "fused", False)
    assert visitor.get("/api/search/?q=Blue  SKY hotel&limit=5").json()["cached"] is True


def test_filters_and_pages(visitor, places):
    def found(**given):
        return [
            each["business"]["name"] for each in visitor.get("/api/search", {"q": "sky", **given}).json()["results"]
        ]

    assert found(city="Erdenet") == ["Sky Bakery"]
    assert found(category="Hotel", price_level=3) == ["Blue Sky Hotel"]
    assert found(price_level=1) == []
    assert found(city="", category="", price_level="") == found()
    assert found(limit=1) + found(limit=1, offset=1) == found()
    assert found(offset=2) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "   "}, "q"),
        ({"q": "x" * 301}, "q"),
        ({"q": "nul\x00"}, "q"),
        ({"q": "escape \x9b here"}, "q"),
        ({"q": "a", "limit": 0}, "limit"),
        ({"q": "a", "limit": 101}, "limit"),
        ({"q": "a", "limit": "ten"}, "limit"),
        ({"q": "a", "offset": -1}, "offset"),
        ({"q": "a", "price_level": 5}, "price_level"),
        ({"q": "a", "category": "x" * 101}, "category"),
        ({"q": "a", "city": "\x00"}, "city"),
    ],
)
def test_a_wrong_parameter_is_named(visitor, given, field):
    error = error_of(visitor.get("/api/search", given), 400)
    assert list(error["fields"]) == [field]


@pytest.mark.parametrize("text", ["'", "\\", "& | ! ( ) :*", "a'b\"c", "%s %(x)s", "ᠮᠣᠩᠭᠣᠯ", "🍕", "﷽", "\u0301", "0"])
def test_no_text_is_an_error(visitor, places, text):
    assert visitor.get("/api/search", {"q": text}).status_code == 200


def test_it_costs_the_same_queries_whatever_is_found(visitor, put, django_assert_num_queries):
    for number in range(12):
        put(f"Sky {number}", "Hotel")
    embed()
    visitor.get("/api/search", {"q": "warm"})
    with django_assert_num_queries(6):
        visitor.get("/api/search", {"q": "sky", "limit": 1})
    with django_assert_num_queries(2):
        assert visitor.get("/api/search", {"q": "sky", "limit": 12}).json()["cached"]
