"""The kind of job of this app."""

from typing import Final

from django.conf import settings

from embeddings.current import current_provider
from embeddings.providers import provider_class
from embeddings.quota import embedding_throttle, probe
from jobs.kinds import Kind, register
from yellowbook.recommendations.embed import embed_profiles
from yellowbook.recommendations.names import EMBED_PROFILE

#: Failures that are sat out before a job is dead: an outage of about eight minutes. Its owner is told of the delay.
PATIENCE: Final = 12

register(
    Kind(
        name=EMBED_PROFILE,
        handler=embed_profiles,
        subject_name="profile_id",
        subject_model="recommendations.TasteProfile",
        throttle=embedding_throttle,
        probe=probe,
        preload=lambda: provider_class(settings.EMBEDDING_PROVIDER),
        warm_up=current_provider,
        batch_size=settings.EMBEDDING_BATCH_SIZE,
        max_retries=PATIENCE,
    )
)
