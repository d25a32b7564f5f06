"""What is stored is the exact top of the formula."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest

from embeddings.current import similarity_floor
from embeddings.models import Embedding
from tests.yellowbook.similarity.conftest import (
    assert_exact,
    listed,
    names,
    put,
    random_vectors,
    unit,
    work,
)
from yellowbook.directory.models import Business
from yellowbook.similarity import compute, nearest
from yellowbook.similarity.models import Mark, Similarity

pytestmark = pytest.mark.django_db

CITIES = ["Улаанбаатар", "Дархан", ""]


def mixed(count: int, *, category: str, seed: int, status: str = "published", around: float = 1.0) -> list[Business]:
    rng = np.random.default_rng(seed)
    each = [
        {
            "city": CITIES[rng.integers(3)],
            "price_level": [None, 1, 2, 3, 4][rng.integers(5)],
            "offers_online": bool(rng.integers(2)),
        }
        for _ in range(count)
    ]
    return put(random_vectors(count, seed=seed, around=around), each=each, category=category, status=status)


@pytest.fixture
def directory() -> list[Business]:
    """Categories above and below 100 candidates, and businesses that nobody may see."""
    return [
        *mixed(150, category="Ресторан", seed=1),
        *mixed(12, category="Ресторан", seed=2, status="draft"),
        *mixed(100, category="Кафе", seed=3),
        *mixed(3, category="Кафе", seed=4, status="unpublished"),
        *mixed(7, category="Ном", seed=5),
        *mixed(1, category="Bank", seed=6, around=0.0),
    ]


def test_the_stored_top_10_is_that_of_every_pair_in_double_precision(directory: list[Business]) -> None:
    assert work() == ["Bank", "Кафе", "Ном", "Ресторан"]
    assert Similarity.objects.count() == len(directory)
    assert_exact(*directory)


def test_it_is_so_whatever_the_sizes_of_tiles_chunks_and_blocks(
    directory: list[Business], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "TILE_ROWS", 7)
    monkeypatch.setattr(nearest, "TILE_COLUMNS", 90)
    monkeypatch.setattr(nearest, "PAIRS", 5)
    monkeypatch.setattr(compute, "CHUNK", 40)
    monkeypatch.setattr(compute, "HELD", 120)
    monkeypatch.setattr(compute, "BLOCK", 33)
    work()
    assert_exact(*directory)


def test_a_category_of_exactly_100_suffices_who_is_not_one_of_them() -> None:
    published = put(random_vectors(100), category="Кафе")
    (draft,) = put(random_vectors(1, seed=2), category="Кафе", status="draft")
    put(random_vectors(5, seed=3), category="Bank")
    work()
    assert Similarity.objects.get(business=published[0]).candidates == 104
    assert Similarity.objects.get(business=draft).candidates == 100


def test_equal_scores_come_in_the_order_of_their_ids() -> None:
    made = put([unit(1, 1)] * 30)
    work()
    ids = sorted(each.pk for each in made)
    for business in made:
        assert names(business) == [each for each in ids if each != business.pk][:10]
        assert listed(business)[0][2] == 1.0


def test_more_equals_than_fit_are_told_apart_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    exactly, rng = nearest._unit, np.random.default_rng(7)

    def rounded(vectors: Any) -> Any:
        # As single precision may round: equal vectors get scores that differ a little.
        return exactly(vectors) * (1 + rng.uniform(-2e-5, 2e-5, size=(len(vectors), 1))).astype(np.float32)

    monkeypatch.setattr(nearest, "_unit", rounded)
    made = put([*[unit(1, 1)] * 80, *[unit(1, 1.001)] * 80, unit(1, 2)])
    work()
    assert_exact(*made[:3], *made[80:83], made[-1])


def test_scores_that_single_precision_cannot_tell_apart_are_in_order() -> None:
    rng = np.random.default_rng(3)
    base = random_vectors(1)[0]
    close = base + rng.normal(size=(60, 768)) * 2e-4
    made = put(close / np.linalg.norm(close, axis=1, keepdims=True))
    work()
    assert_exact(*made)


def test_what_scores_less_than_the_models_threshold_is_left_out() -> None:
    floor = similarity_floor("wordllama-hash-768-v1")
    # 0.9 x cosine + 0.1 x (0.25 + 0.3 + 0.1): the cosines that lie just above and below.
    edge = (floor - 0.065) / 0.9
    one, above, below = put([unit(1), *(unit(c, np.sqrt(1 - c * c)) for c in (edge + 0.002, edge - 0.002))])
    work()
    assert floor == 0.4
    assert names(one) == [above.pk]
    assert names(below) == [above.pk]
    assert_exact(one, above, below)


def test_the_number_that_is_kept_is_a_setting(settings) -> None:
    settings.SIMILAR_LIMIT = 3
    made = put(random_vectors(20))
    work()
    assert_exact(*made, limit=3)


def test_a_business_alone_in_the_world_has_an_empty_list() -> None:
    (alone,) = put([unit(1)])
    work()
    row = Similarity.objects.get(business=alone)
    assert (row.neighbours, row.candidates) == ([], 0)
    assert not Mark.objects.filter(told_at=None).exists()


def test_vectors_of_another_model_are_never_compared() -> None:
    one, other = put([unit(1)] * 2)
    (foreign,) = put([unit(1)], model="another")
    work()
    assert names(one) == [other.pk]
    assert not Similarity.objects.filter(business=foreign).exists()


def test_a_business_without_a_vector_has_no_list_and_leaves_no_mark() -> None:
    (one,) = put([unit(1)])
    Embedding.objects.all().delete()
    work()
    assert not Similarity.objects.exists()
    assert not Mark.objects.filter(told_at=None).exists()
    assert one.pk


def test_ids_that_end_in_zeros_are_ids_like_others() -> None:
    ids = [UUID(int=1 << 120), UUID(int=2 << 120), UUID(int=0)]
    one, other, zero = put([unit(1)] * 3, each=[{"id": each} for each in ids])
    work()
    assert names(one) == [zero.pk, other.pk]
    assert names(zero) == [one.pk, other.pk]
