"""The provider and model that this installation uses."""

from functools import cache

from django.conf import settings

from embeddings.providers import provider_class
from embeddings.providers.base import Provider


def current_model() -> str:
    """Return the name of the model whose vectors serve now."""
    return str(settings.EMBEDDING_MODEL) or provider_class(settings.EMBEDDING_PROVIDER).default_model


@cache
def current_provider() -> Provider:
    """Return this process's provider. Made at first use, so after any fork, and kept: SDK clients hold connections."""
    return provider_class(settings.EMBEDDING_PROVIDER)(
        model=current_model(),
        timeout=settings.EMBEDDING_TIMEOUT,
        api_key=settings.GEMINI_API_KEY,
        base_url=settings.GEMINI_BASE_URL,
    )
