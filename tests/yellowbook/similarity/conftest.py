"""Businesses with vectors, and the lists that are computed of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from pgvector import HalfVector
from rest_framework.test import APIClient

from embeddings.current import current_model, similarity_floor
from embeddings.models import Embedding
from embeddings.signals import vectors_stored
from jobs.execute import run_lane
from tests.concurrency import Session
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.models import Business
from yellowbook.similarity import marks
from yellowbook.similarity.marks import COMPUTE_SIMILARITY, start_due
from yellowbook.similarity.models import Similarity

Vector = NDArray[np.floating[Any]]
Vectors = Vector | Sequence[Vector]

#: (neighbour, score, semantic, context)
Listed = tuple[UUID, float, float, float]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have marks made jobs as soon as the leader looks."""
    monkeypatch.setattr(marks, "QUIET", 0.0)


@pytest.fixture
def visitor(db: None) -> APIClient:
    """The API as everybody sees it."""
    return APIClient()


@pytest.fixture
def session() -> Iterator[Callable[[], Session]]:
    """Open further database sessions."""
    opened: list[Session] = []

    def open_session() -> Session:
        opened.append(Session())
        return opened[-1]

    yield open_session
    for each in opened:
        each.close()


def unit(*numbers: float) -> NDArray[np.float32]:
    """Return a vector of norm 1 in the given direction."""
    vector = np.zeros(768, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def random_vectors(count: int, *, seed: int = 1, around: float = 1.0) -> Vector:
    """Return unit vectors; the larger `around`, the more alike all of them are."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 768)) + around * np.random.default_rng(99).normal(size=768)
    rows: Vector = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def give_vectors(businesses: Sequence[Business], vectors: Vectors, *, model: str | None = None) -> None:
    """Store vectors as the store does, and say so."""
    model = model or current_model()
    Embedding.objects.bulk_create(
        [
            Embedding(
                business=business,
                model=model,
                provider="test",
                task_type="RETRIEVAL_DOCUMENT",
                text_hash="0" * 64,
                vector=vector,
            )
            for business, vector in zip(businesses, vectors, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["business", "model"],
        update_fields=["vector"],
    )
    vectors_stored.send(Embedding, business_ids=[business.pk for business in businesses], model=model)


def put(
    vectors: Vectors, *, model: str | None = None, each: Sequence[dict[str, Any]] = (), **all_of: Any
) -> list[Business]:
    """Add a business for each vector; `each` are values of single ones."""
    changes = each or [{}] * len(vectors)
    made = Business.objects.bulk_create([Business(**values(**{**all_of, **change})) for change in changes])
    give_vectors(made, vectors, model=model)
    return made


def work() -> list[str]:
    """Let leader and workers do everything that is due; return the categories that there were jobs for."""
    worked: list[str] = []
    for _ in range(20):
        categories = start_due()
        worked += categories
        if not run_lane(COMPUTE_SIMILARITY) and not categories:
            return sorted(worked)
    raise AssertionError("it does not come to an end")


def listed(business: Business) -> list[Listed]:
    """Return what is stored of a business."""
    row = Similarity.objects.get(business=business)
    return list(zip(row.neighbours, row.scores, row.semantic, row.context, strict=True))


def names(business: Business) -> list[UUID]:
    """Return the neighbours that are stored of a business."""
    return [each[0] for each in listed(business)]


def context(one: Business, other: Business) -> float:
    """Return the context of two businesses by the words of the formula."""
    if one.price_level is None or other.price_level is None:
        price = 0.25
    else:
        price = {0: 0.5, 1: 0.3, 2: 0.1, 3: 0.0}[abs(one.price_level - other.price_level)]
    category = 0.3 if one.category == other.category else 0.0
    if one.city and one.city == other.city:
        city = 0.2
    elif one.offers_online or other.offers_online or not one.city or not other.city:
        city = 0.1
    else:
        city = 0.0
    return price + category + city


def expected(business: Business, vectors: Mapping[Business, Vector], *, limit: int) -> tuple[list[Listed], int]:
    """Return what has to be stored, and the number of candidates: every pair in double precision, straightforwardly."""
    others = [each for each in vectors if each.status == "published" and each.pk != business.pk]
    same = [each for each in others if each.category == business.category]
    candidates = same if len(same) >= 100 else others
    own, floor = vectors[business], similarity_floor(current_model())
    found = []
    for other in candidates:
        theirs = vectors[other]
        cosine = float(own @ theirs) / float(np.sqrt((own @ own) * (theirs @ theirs)))
        alike = context(business, other)
        score = 0.9 * cosine + 0.1 * alike
        if score >= floor:
            found.append((other.pk, score, cosine, alike))
    found.sort(key=lambda each: (-each[1], each[0]))
    return found[:limit], len(candidates)


def assert_exact(*businesses: Business, limit: int = 10) -> None:
    """Check what is stored of businesses against `expected`."""
    stored = Embedding.objects.filter(model=current_model()).select_related("business")
    vectors = {row.business: np.array(HalfVector(row.vector).to_list(), np.float64) for row in stored}
    rows = Similarity.objects.in_bulk([business.pk for business in businesses])
    for business in businesses:
        wanted, candidates = expected(business, vectors, limit=limit)
        row = rows[business.pk]
        assert row.neighbours == [each[0] for each in wanted]
        found = zip(row.scores, row.semantic, row.context, strict=True)
        for is_there, should_be in zip(found, wanted, strict=True):
            assert is_there == pytest.approx(should_be[1:], abs=2e-6)
        assert row.candidates == candidates
