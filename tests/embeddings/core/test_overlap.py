"""The overlap of nearest neighbours between two models, on vectors whose neighbours are known."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pgvector import HalfVector

from embeddings import overlap as measuring
from embeddings.models import Embedding
from embeddings.overlap import overlap
from embeddings.store import NewVector, store
from jobs.models import JobExecution
from yellowbook.directory.models import Business

from .conftest import business

pytestmark = pytest.mark.django_db

Matrix = NDArray[np.float64]

#: A difference of cosines that rounding and single precision leave alone.
ALIKE = 1e-5


def with_similarities(wanted: Matrix) -> Matrix:
    """Return unit vectors with the given similarities (a matrix with ones on its diagonal)."""
    vectors = np.zeros((len(wanted), 768))
    vectors[:, : len(wanted)] = np.linalg.cholesky(wanted)
    return vectors


def ranks(number: int, sign: float) -> Matrix:
    """Return similarities that differ by 0.006 or more within each row, in one order or the reversed one."""
    places = np.arange(number)
    level = ((places[:, None] + places[None, :]) % number) / number
    wanted: Matrix = sign * 0.1 * level
    np.fill_diagonal(wanted, 1.0)
    return wanted


@pytest.fixture
def shops() -> list[Business]:
    """Fifteen businesses in the order of their ids."""
    return make(15)


def make(number: int) -> list[Business]:
    made = sorted((business(str(n)) for n in range(number)), key=lambda each: each.pk)
    JobExecution.objects.all().delete()
    return made


def keep(shops: list[Business], model: str, vectors: Matrix) -> None:
    """Store the vectors of businesses by a model."""
    store(
        [
            NewVector(shop.pk, uuid4(), shop.text_hash, False, HalfVector(vector))
            for shop, vector in zip(shops, vectors, strict=True)
        ],
        model=model,
        provider="p",
        task_type="t",
    )


def test_identical_models_agree_in_everything(shops: list[Business]) -> None:
    vectors = np.random.default_rng(1).normal(size=(15, 768))
    keep(shops, "old", vectors)
    keep(shops, "new", vectors)
    found = overlap("old", "new", sample=100)
    assert found is not None
    assert (found.businesses, found.sampled, found.neighbours) == (15, 15, 10)
    assert (found.mean, found.worst) == (1.0, 1.0)


def test_the_length_of_vectors_does_not_count(shops: list[Business]) -> None:
    vectors = np.random.default_rng(1).normal(size=(15, 768))
    keep(shops, "old", vectors)
    keep(shops, "new", vectors * np.linspace(0.1, 9, 15)[:, None])
    assert overlap("old", "new", sample=100).mean == 1.0


def test_of_fourteen_others_in_reversed_order_the_ten_nearest_share_six(shops: list[Business]) -> None:
    keep(shops, "old", with_similarities(ranks(15, 1.0)))
    keep(shops, "new", with_similarities(ranks(15, -1.0)))
    found = overlap("old", "new", sample=100)
    assert [found.mean, found.worst] == pytest.approx([0.6, 0.6])


def test_the_worst_one_is_named(shops: list[Business]) -> None:
    """Two business change places in the new model: they have each other's neighbours."""
    wanted = np.eye(15)
    wanted[:12, :12] += 0.1 * (1 - np.eye(12))
    keep(shops, "old", with_similarities(wanted))
    order = list(range(15))
    order[0], order[13] = 13, 0
    keep(shops, "new", with_similarities(wanted)[order])
    found = overlap("old", "new", sample=100)
    assert found.worst_business in {shops[0].pk, shops[13].pk}
    assert found.worst < found.mean < 1


@pytest.mark.parametrize("number", [2, 5, 10])
def test_with_fewer_than_eleven_all_others_are_neighbours(number: int) -> None:
    shops = make(number)
    for model, seed in [("old", 1), ("new", 2)]:
        keep(shops, model, np.random.default_rng(seed).normal(size=(number, 768)))
    found = overlap("old", "new", sample=100)
    assert (found.neighbours, found.mean) == (number - 1, 1.0)


def test_with_eleven_there_is_one_more_than_that() -> None:
    shops = make(11)
    keep(shops, "old", with_similarities(ranks(11, 1.0)))
    keep(shops, "new", with_similarities(ranks(11, -1.0)))
    assert overlap("old", "new", sample=100).neighbours == 10


@pytest.mark.parametrize("number", [0, 1])
def test_one_business_has_no_neighbours(number: int) -> None:
    shops = make(number)
    for model in ("old", "new"):
        keep(shops, model, np.ones((number, 768)))
    assert overlap("old", "new", sample=100) is None


def test_without_a_sample_there_is_nothing_to_tell(shops: list[Business]) -> None:
    for model in ("old", "new"):
        keep(shops, model, np.ones((15, 768)))
    assert overlap("old", "new", sample=0) is None


def test_only_businesses_with_vectors_of_one_text_by_both_models_count(shops: list[Business]) -> None:
    vectors = np.random.default_rng(1).normal(size=(15, 768))
    keep(shops, "old", vectors)
    keep(shops[:13], "new", vectors[:13])
    Embedding.objects.filter(business=shops[0], model="new").update(text_hash="another text")
    found = overlap("old", "new", sample=100)
    assert (found.businesses, found.mean) == (12, 1.0)


def test_equal_texts_far_apart_in_the_table_are_no_disagreement(
    shops: list[Business], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "PAGE", 4)
    vectors = np.tile(np.random.default_rng(1).normal(size=(1, 768)), (15, 1))
    keep(shops, "old", vectors)
    keep(shops, "new", -vectors)
    assert overlap("old", "new", sample=100).mean == 1.0


def test_a_sample_is_the_same_each_time_and_another_for_another_seed(shops: list[Business]) -> None:
    keep(shops, "old", with_similarities(ranks(15, 1.0)))
    keep(shops, "new", np.random.default_rng(3).normal(size=(15, 768)))

    def sampled(seed: str) -> UUID:
        found = overlap("old", "new", sample=1, seed=seed)
        assert found.sampled == 1
        return found.worst_business

    assert len({sampled("") for _ in range(3)}) == 1
    assert len({sampled(str(seed)) for seed in range(20)}) > 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), page=st.integers(1, 40))
def test_it_is_what_a_whole_matrix_says_whatever_the_pages(
    shops: list[Business], monkeypatch: pytest.MonkeyPatch, seed: int, page: int
) -> None:
    monkeypatch.setattr(measuring, "PAGE", page)
    rng = np.random.default_rng(seed)
    Embedding.objects.all().delete()
    nearest = []
    for model in ("old", "new"):
        vectors = rng.normal(size=(15, 768))
        keep(shops, model, vectors)
        halves = vectors.astype(np.float16).astype(np.float64)
        unit = halves / np.linalg.norm(halves, axis=1, keepdims=True)
        found = unit @ unit.T
        np.fill_diagonal(found, -2)
        nearest.append(np.argsort(-found, axis=1)[:, :10])
    shares = [len(set(old) & set(new)) / 10 for old, new in zip(*(each.tolist() for each in nearest), strict=True)]
    told = overlap("old", "new", sample=100)
    assert told.mean == pytest.approx(float(np.mean(shares)))
    assert told.worst == pytest.approx(min(shares))
