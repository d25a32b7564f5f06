"""A directory of invented businesses with their vectors, as large as wanted."""

import uuid
from typing import Final

from django.db import connection
from django.utils import timezone

from embeddings.current import current_model, current_provider
from embeddings.providers.base import TaskType
from yellowbook.benchmarks.texts import Invented, invented
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.text import embedded_text
from yellowbook.search.refresh import refresh

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
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE directory_business CASCADE")
        with cursor.copy(_BUSINESSES) as copy:
            for each in businesses:
                texts = (each.name, each.category, each.description, each.address, each.city)
                row = (
                    uuid.uuid4(),
                    "",
                    *texts,
                    "",
                    "",
                    "",
                    each.price_level,
                    False,
                    BusinessStatus.PUBLISHED,
                    now,
                    now,
                )
                copy.write_row(row)
    _embed()
    refresh()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return businesses


def _embed() -> None:
    provider, model = current_provider(), current_model()
    stored = list(Business.objects.order_by("id"))
    with connection.cursor() as cursor, cursor.copy(_VECTORS) as copy:
        for start in range(0, len(stored), provider.max_batch):
            some = stored[start : start + provider.max_batch]
            vectors = provider.embed([embedded_text(each) for each in some], TaskType.DOCUMENT)
            for each, vector in zip(some, vectors, strict=True):
                numbers = "[" + ",".join([f"{number:.5f}" for number in vector]) + "]"
                copy.write_row((each.pk, model, provider.name, TaskType.DOCUMENT, each.text_hash, numbers))
