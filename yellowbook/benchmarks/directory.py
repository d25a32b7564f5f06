"""A directory of invented businesses with their vectors, as large as wanted."""

import secrets
from dataclasses import replace
from time import perf_counter
from typing import Final
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone
from pgvector import HalfVector

from embeddings.current import current_model, current_provider
from embeddings.models import Embedding
from embeddings.providers.base import TaskType
from embeddings.sketches import keeper as keeping
from embeddings.sketches.keeper import keeper
from embeddings.vectors import as_text
from yellowbook.benchmarks.texts import Invented, invented
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.text import embedded_text
from yellowbook.fleet.waiting import until
from yellowbook.search.refresh import refresh

#: Businesses whose vectors are written by one statement.
PAGE: Final = 20_000

_BUSINESSES: Final = """
COPY directory_business (id, external_id, name, category, description, address, city, phone, email, website,
                         price_level, offers_online, status, created_at, updated_at) FROM STDIN
"""
_VECTORS: Final = """
COPY embeddings_embedding (business_id, model, provider, task_type, text_hash, vector) FROM STDIN
"""


def fill(count: int) -> list[Invented]:
    """Replace all businesses by `count` invented ones with the vectors of the model that serves; return what they say.

    They go past the models: no job, and no list of similar businesses.
    """
    businesses = list(invented(count))
    _write(businesses)
    _embed()
    refresh()
    settle()
    return businesses


def settle() -> None:
    """Have PostgreSQL do now what it would otherwise do in the middle of a measurement."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def make_sketches() -> float:
    """Have this process hold the sketches that its searches compare with, where these pay; return the seconds."""
    keeper.forget()
    began = perf_counter()
    if Embedding.objects.count() > keeping.PAYS_FROM:
        until(lambda: keeper.sketches_of(current_model()), "sketches are made")
    return perf_counter() - began


def plant(count: int) -> list[UUID]:
    """Replace all businesses by `count` invented ones without vectors; return their ids.

    No two have one text, and none has one that an earlier business had.
    """
    seed = secrets.randbits(32)
    businesses = [
        replace(each, address=f"{each.address}, {seed}-{number}")
        for number, each in enumerate(invented(count, seed=seed))
    ]
    return _write(businesses)


def _write(businesses: list[Invented]) -> list[UUID]:
    ids = [uuid4() for _ in businesses]
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE directory_business CASCADE")
        with cursor.copy(_BUSINESSES) as copy:
            for business_id, each in zip(ids, businesses, strict=True):
                texts = (each.name, each.category, each.description, each.address, each.city)
                status = BusinessStatus.PUBLISHED
                copy.write_row((business_id, "", *texts, "", "", "", each.price_level, False, status, now, now))
    return ids


def _embed() -> None:
    provider, model = current_provider(), current_model()
    last = UUID(int=0)
    while stored := list(Business.objects.filter(id__gt=last).order_by("id")[:PAGE]):
        last = stored[-1].pk
        with connection.cursor() as cursor, cursor.copy(_VECTORS) as copy:
            for start in range(0, len(stored), provider.max_batch):
                some = stored[start : start + provider.max_batch]
                vectors = provider.embed([embedded_text(each) for each in some], TaskType.DOCUMENT)
                for each, vector in zip(some, vectors, strict=True):
                    text = as_text(HalfVector(vector))
                    copy.write_row((each.pk, model, provider.name, TaskType.DOCUMENT, each.text_hash, text))
