"""Tags and summaries where visitors look for businesses."""

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.jobs.api.conftest import error_of
from yellowbook.directory.models import Business
from yellowbook.enrichment.services import set_editor_tags
from yellowbook.search.filters import Filters
from yellowbook.search.models import Document
from yellowbook.search.pages.counts import counts, counts_of
from yellowbook.search.search import search

from .conftest import Answer, save, work

pytestmark = pytest.mark.django_db(transaction=True)


def found(client: APIClient, **asked: str) -> list[str]:
    response = client.get("/api/search", asked)
    assert response.status_code == 200, response.content
    return [each["business"]["name"] for each in response.json()["results"]]


@pytest.fixture
def places(answer: Answer) -> list[Business]:
    """One business with tags, one without."""
    tagged = save(name="Хан бууз", description="Гэр бүлийн газар")
    work()
    answer(tags=[], free_tags=[], summary_mn="", summary_en="", opening_hours=[])
    bare = save(name="Хан хаан", description="Гэр бүлийн газар")
    work()
    return [tagged, bare]


def test_a_search_is_narrowed_by_a_tag(visitor: APIClient, places: list[Business]) -> None:
    assert set(found(visitor, q="хан")) == {"Хан бууз", "Хан хаан"}
    assert found(visitor, q="хан", tag="wifi") == ["Хан бууз"]
    assert found(visitor, q="хан", tag="тахилгат уул") == ["Хан бууз"]
    assert found(visitor, q="хан", tag="sauna") == []
    error_of(visitor.get("/api/search", {"q": "хан", "tag": "x" * 41}), 400)


def test_words_of_tags_and_summaries_find_a_business(places: list[Business]) -> None:
    for words in ("Mongolian cuisine", "тахилгат", "restaurant with Mongolian food"):
        first = search(words, Filters()).results[0]
        assert first.business == places[0], words


def test_an_editors_tags_count_at_once_and_outdate_kept_answers(visitor: APIClient, places: list[Business]) -> None:
    assert found(visitor, q="хан", tag="sauna") == []
    set_editor_tags(places[1].pk, ["sauna"], edited_by="t")
    set_editor_tags(places[0].pk, [], edited_by="t")
    assert found(visitor, q="хан", tag="sauna") == ["Хан хаан"]
    assert found(visitor, q="хан", tag="wifi") == []
    assert Document.objects.get(business=places[0]).tags == []


def test_a_later_save_keeps_the_tags_in_the_index(places: list[Business]) -> None:
    places[0].price_level = 2
    places[0].save()
    assert Document.objects.get(business=places[0]).tags == ["wifi", "mongolian_cuisine", "тахилгат уул"]


def test_tags_are_counted_among_what_is_left(places: list[Business]) -> None:
    assert counts(Filters()).tags == {"mongolian_cuisine": 1, "wifi": 1, "тахилгат уул": 1}
    assert counts(Filters(tag="wifi")).total == 1
    assert counts(Filters(tag="wifi")).tags == counts_of([business.pk for business in places]).tags
    assert counts(Filters(category="Кафе")).tags == {}


def test_the_list_has_tags_as_a_facet_and_summaries_in_the_readers_language(
    client: Client, places: list[Business]
) -> None:
    page = client.get(reverse("public:search"), {"category": "Ресторан"}, headers={"accept-language": "mn"})
    text = page.content.decode()
    assert "Монгол хоолны ресторан." in text
    assert "?category=Ресторан&amp;tag=mongolian_cuisine" in text
    assert "Монгол хоол</" in text or "Монгол хоол " in text
    english = client.get(reverse("public:search"), {"tag": "mongolian_cuisine"}, headers={"accept-language": "en"})
    assert "A restaurant with Mongolian food." in english.content.decode()
    assert "Хан хаан" not in english.content.decode()


def test_what_was_looked_for_in_a_description_is_shown_before_the_summary(
    client: Client, places: list[Business]
) -> None:
    page = client.get(reverse("public:search"), {"q": "гэр бүлийн"}).content.decode()
    assert "<mark>" in page
    assert "A restaurant with Mongolian food." not in page


def test_the_page_of_a_business_shows_it_and_escapes_what_others_wrote(client: Client, answer: Answer) -> None:
    answer(free_tags=['"&<b>x', "a&b=c"], summary_en="Fine & <i>dandy</i> 5 > 3")
    business = save()
    assert "At a glance" not in client.get(reverse("public:business", args=[business.pk])).content.decode()
    work()
    text = client.get(reverse("public:business", args=[business.pk])).content.decode()
    assert "Fine &amp; dandy 5 &gt; 3" in text
    assert "?tag=a%26b%3Dc" in text
    assert "09:00–18:00" in text
    assert "Sunday" in text
