"""The naive design: plain dramatiq with a message for each business, and a provider call in each message.

Loaded by `dramatiq` itself in its workers, and by the benchmark to send the messages.
"""

from typing import Final

import dramatiq
from django.apps import apps
from dramatiq.brokers.redis import RedisBroker

if not apps.ready:
    import jobs.boot  # noqa: F401 sets Django up

from django.conf import settings

from embeddings.current import current_provider
from embeddings.models import Embedding
from embeddings.providers.base import TaskType
from yellowbook.directory.models import Business
from yellowbook.directory.text import embedded_text

#: Calls that are under way at once: as many as the system has.
THREADS: Final = settings.JOB_CONCURRENCY

broker: Final = RedisBroker(url=settings.REDIS_URL, namespace="one-by-one")


@dramatiq.actor(broker=broker)
def embed(business_id: str) -> None:
    """Embed and store the text of one business."""
    store([Business.objects.get(pk=business_id)])


def store(businesses: list[Business]) -> None:
    """Embed the texts of some businesses by one call, and store each vector."""
    provider = current_provider()
    vectors = provider.embed([embedded_text(each) for each in businesses], TaskType.DOCUMENT)
    for business, vector in zip(businesses, vectors, strict=True):
        Embedding.objects.update_or_create(
            business=business,
            model=provider.model,
            defaults={
                "provider": provider.name,
                "task_type": TaskType.DOCUMENT,
                "text_hash": business.text_hash,
                "vector": vector,
            },
        )
