"""Businesses with vectors, and the stand-in as the model that judges them."""

from collections.abc import Callable, Generator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from redis import Redis

from embeddings.current import current_model
from embeddings.models import Embedding
from tests.jobs.conftest import REDIS_URL
from tests.yellowbook.llm.conftest import limited, server, standin  # noqa: F401
from yellowbook.catalogue.quality.listing import Candidate, Listing
from yellowbook.directory.models import Business

#: What nobody would object to.
GOOD = {
    "name": "Номин Хүнсний дэлгүүр",
    "category": "Дэлгүүр",
    "description": "Өдөр бүр 9-21 цагт ажиллана. Талх, сүү, жимс, гэр ахуйн бараа.",
    "address": "Энхтайвны өргөн чөлөө 12",
    "city": "Улаанбаатар",
    "phone": "+976 7011-2233",
    "email": "",
    "website": "https://nomin.example.mn",
}

MakeListed = Callable[..., Business]


def candidate(**changes: str) -> Candidate:
    """Return a listing that is not stored."""
    return Candidate(business_id=uuid4(), text_hash="0" * 64, listing=Listing(**{**GOOD, **changes}))


def at(cosine: float) -> NDArray[np.float32]:
    """Return a unit vector with that cosine to `at(1)`."""
    vector = np.zeros(768, dtype=np.float32)
    vector[:2] = cosine, (1 - cosine**2) ** 0.5
    return vector


@pytest.fixture
def listed(db: None) -> MakeListed:
    """Store a business, with a vector unless `cosine` (to `at(1)`) is None."""

    def make(cosine: float | None = 1.0, *, model: str = "", fresh: bool = True, **changes: Any) -> Business:
        (made,) = Business.objects.bulk_create([Business(**{**GOOD, **changes})])
        made.refresh_from_db()
        if cosine is not None:
            Embedding.objects.create(
                business=made,
                model=model or current_model(),
                provider="test",
                task_type="RETRIEVAL_DOCUMENT",
                text_hash=made.text_hash if fresh else "0" * 64,
                vector=at(cosine),
            )
        return made

    return make


@pytest.fixture(autouse=True)
def _forget_verdicts() -> Generator[None]:
    """Keep no verdict from one test to the next."""
    yield
    with Redis.from_url(REDIS_URL) as client:
        for key in client.scan_iter("yellowbook:shared:quality:*"):
            client.delete(key)
