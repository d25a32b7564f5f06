"""The kind of job of this app."""

from django.conf import settings

from embeddings.ann import keep_indexes
from embeddings.current import current_provider
from embeddings.feed import EmbeddingFeed
from embeddings.generate import generate_embeddings
from embeddings.models import Embedding
from embeddings.providers import provider_class
from embeddings.quota import embedding_throttle, probe
from jobs.kinds import Kind, register
from jobs.periodic import every
from jobs.schedule import Every

#: The one name of the main job, in code, rows, API and admin.
GENERATE_EMBEDDING = "generate_embedding"
#: Sees to the index for nearest neighbours.
KEEP_VECTOR_INDEX = "keep_vector_index"

register(
    Kind(
        name=GENERATE_EMBEDDING,
        handler=generate_embeddings,
        subject_name="business_id",
        subject_model=Embedding._meta.get_field("business").remote_field.model._meta.label,
        throttle=embedding_throttle,
        probe=probe,
        preload=lambda: provider_class(settings.EMBEDDING_PROVIDER),
        warm_up=current_provider,
        feed=EmbeddingFeed(),
        batch_size=settings.EMBEDDING_BATCH_SIZE,
    )
)
register(Kind(name=KEEP_VECTOR_INDEX, handler=keep_indexes, concurrency=1))
every(Every(600), KEEP_VECTOR_INDEX)
