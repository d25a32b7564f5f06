"""Likes and dislikes move the vector of the answers; facets add to the score."""

from typing import Any

import numpy as np
import pytest

from yellowbook.enrichment.vocabulary import words_of
from yellowbook.recommendations.facets import BONUS, Facet, Traits, Wishes, bonus, matches
from yellowbook.recommendations.occasions import occasions
from yellowbook.recommendations.taste import moved

TEXT, ONE, OTHER = np.eye(3, dtype=np.float32)
NONE = np.empty((0, 3), np.float32)


def test_without_opinions_the_answers_decide() -> None:
    assert moved(TEXT, NONE, NONE).tolist() == TEXT.tolist()


def test_likes_draw_it_near_and_dislikes_push_it_away() -> None:
    found = moved(TEXT, np.stack([ONE]), np.stack([OTHER]))
    assert found == pytest.approx(np.array([1, 0.75, -0.15]) / np.linalg.norm([1, 0.75, -0.15]), abs=1e-6)
    assert found.dtype == np.float32
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-6)


def test_many_likes_count_as_much_as_one() -> None:
    assert moved(TEXT, np.stack([ONE] * 9), NONE).tolist() == moved(TEXT, np.stack([ONE]), NONE).tolist()


def test_where_nothing_is_left_the_answers_decide() -> None:
    opposite = np.stack([-TEXT / 0.75])
    assert moved(TEXT, opposite, NONE).tolist() == TEXT.tolist()


def traits(**changes: Any) -> Traits:
    return Traits(**{"category": "Кафе", "city": "Улаанбаатар", "price_level": 2, "words": "", **changes})


def test_every_facet_that_matches_adds_to_the_score() -> None:
    wishes = Wishes(categories=["Кафе"], cities=["Улаанбаатар"], price_levels=[1, 2], occasions=["wedding"])
    found = matches(wishes, traits(words="Хуримын ордон"))
    assert found == {"category": "Кафе", "city": "Улаанбаатар", "price": "2", "occasion": "wedding"}
    assert bonus(found) == pytest.approx(0.25)
    assert bonus([Facet.CITY]) == BONUS[Facet.CITY]


def test_what_is_unknown_or_not_wished_for_matches_nothing() -> None:
    assert matches(Wishes(), traits()) == {}
    wishes = Wishes(categories=["Бар"], cities=["Дархан"], price_levels=[4], occasions=["wedding", "no such"])
    assert matches(wishes, traits(city="", price_level=None, words="Кофе")) == {}
    assert bonus([]) == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("birthday", "Төрсөн өдрийн хоол"),
        ("date", "A romantic place"),
        ("family", "Гэр бүлийн ресторан"),
        ("friends", "Irish pub"),
        ("business_meeting", "Хурлын танхим"),
        ("tsagaan_sar", "Хөлдөөсөн бууз"),
        ("naadam", "Хуушуур"),
        ("gift", "Бэлэг дурсгал"),
        ("weekend_trip", "Жуулчны бааз"),
        ("quick_lunch", "Fast food"),
        ("wellness", "Спа, массаж"),
    ],
)
def test_texts_of_both_languages_say_what_they_are_for(name: str, text: str) -> None:
    assert occasions()[name].said.search(words_of(text))


def test_an_occasion_is_called_in_both_languages() -> None:
    assert (occasions()["wedding"].label("mn"), occasions()["wedding"].label("en")) == ("Хурим", "Wedding")
