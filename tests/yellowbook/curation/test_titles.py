"""Titles by the model or from templates; a model that is away holds nothing up."""

from collections.abc import Callable
from typing import Any

import pytest

from embeddings.standin.faults import Rule as Fault
from embeddings.standin.service import StandIn
from jobs import shared
from tests.yellowbook.llm.conftest import limited  # noqa: F401
from yellowbook.curation.choosing import Label, Titles
from yellowbook.curation.models import TITLE_LENGTH, Collection, CollectionSet
from yellowbook.curation.names import NO_ANSWER, REFUSED, UNFIT
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.services import regenerate
from yellowbook.curation.titles.by_template import by_template

from .conftest import Answer
from .support import set_of, the_day, titles, work

pytestmark = pytest.mark.django_db(transaction=True)

THREE = (("Хоол идэх", "Places to eat"), ("Хонох", "Where to stay"), ("Засвар", "Car repair"))


@pytest.fixture(autouse=True)
def _three(settings: Any, directory: None) -> None:
    """As many collections as there are groups."""
    settings.CURATION_COLLECTIONS = 3


def made() -> CollectionSet:
    regenerate("discovery", the_day(), Parameters())
    assert set(work()) == {"curated"}
    return set_of("discovery")


def titled_by(row: CollectionSet) -> list[str]:
    return list(row.collections.order_by("position").values_list("titled_by", flat=True))


def test_the_model_is_asked_once_for_all_titles_of_a_set(answer: Answer, standin: StandIn) -> None:
    answer(*THREE)
    row = made()
    assert titles(row) == [english for _, english in THREE]
    assert titled_by(row) == ["llm"] * 3
    assert (row.titles_model, row.note) == ("gemini-2.5-flash", "")
    ((prompt,),) = [call["text"] for call in standin.log.calls()]
    assert "Ресторан" in prompt
    assert "@" not in prompt


@pytest.mark.parametrize("fault", ["500", "429_minute", "key_invalid", "bad_json", "timeout"])
def test_while_it_is_away_titles_are_from_templates_and_the_set_says_so(
    answer: Answer, standin: StandIn, settings: Any, fault: str
) -> None:
    answer(*THREE)
    settings.LLM_TIMEOUT = 0.5
    standin.faults.add(Fault(fault=fault))
    row = made()
    assert sorted(titles(row)) == ["Hotel in Khatgal", "Автозасвар in Дархан", "Ресторан in Улаанбаатар"]
    assert titled_by(row) == ["template"] * 3
    assert row.note == NO_ANSWER


def test_a_refusal_is_told_apart(answer: Answer, standin: StandIn) -> None:
    standin.faults.add(Fault(fault="blocked_prompt"))
    row = made()
    assert (titled_by(row), row.note) == (["template"] * 3, REFUSED)


def test_without_budget_nobody_waits(answer: Answer, limited: Callable[..., None]) -> None:  # noqa: F811
    answer(*THREE)
    limited(rpm=1)
    assert [made().note for _ in range(3)] == ["", NO_ANSWER, NO_ANSWER]


def test_without_redis_it_is_the_same_as_without_an_answer(answer: Answer, settings: Any) -> None:
    settings.LLM_RPM = 5
    settings.REDIS_URL = "unix:///nonexistent/yellowbook.sock"
    shared._client.cache_clear()
    try:
        assert made().note == NO_ANSWER
    finally:
        shared._client.cache_clear()


def test_titles_of_no_use_are_replaced_one_by_one(answer: Answer) -> None:
    answer(("Хоол <b>идэх</b>", "Places to eat"), ("", "Where to stay"), ("Х", "Places to eat"))
    row = made()
    assert titled_by(row) == ["llm", "template", "template"]
    assert row.note == UNFIT
    assert Collection.objects.get(collection_set=row, position=1).title_mn == "Хоол идэх"


def test_with_templates_nobody_is_asked(standin: StandIn, settings: Any) -> None:
    settings.CURATION_TITLES = "templates"
    row = made()
    assert (row.titles_model, row.note, standin.log.calls()) == ("", "", [])


def test_templates_say_what_there_is_in_common_and_never_the_same_twice() -> None:
    hotels = Label(categories=("Hotel", "Hostel"), city="Khatgal")
    found = by_template([hotels, hotels, hotels, hotels, Label(), Label(), Label(categories=("Х" * 100,))])
    assert [each.en for each in found[:6]] == [
        *("Hotel in Khatgal", "Hotel", "Hotel, Hostel", "Worth a look", "Worth a look (2)", "Worth a look (3)"),
    ]
    assert found[0].mn == "Khatgal: Hotel"
    assert len(found[6].en) == TITLE_LENGTH


def test_templates_avoid_titles_that_are_taken() -> None:
    (found,) = by_template([Label(categories=("Hotel",))], [Titles(mn="x", en="Hotel", by="editor")])
    assert found.en == "Worth a look"
