"""System checks: what is wrong with the settings, said before anything starts."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

from embeddings.providers import provider_class


def check_provider(**_: Any) -> list[CheckMessage]:
    """Refuse a provider that lacks its key or its SDK."""
    found: list[CheckMessage] = []
    name = settings.EMBEDDING_PROVIDER
    try:
        chosen = provider_class(name)
    except ImportError as error:
        found.append(Error(f"EMBEDDING_PROVIDER={name!r} can't be loaded: {error}.", id="embeddings.E002"))
    else:
        if chosen.needs_key and not settings.GEMINI_API_KEY:
            found.append(
                Error(
                    f"EMBEDDING_PROVIDER={name!r} needs a key.",
                    hint="Set GEMINI_API_KEY, or EMBEDDING_PROVIDER=local, which needs neither key nor network.",
                    id="embeddings.E001",
                )
            )
        if chosen.max_batch < settings.EMBEDDING_BATCH_SIZE:
            found.append(
                Error(
                    f"EMBEDDING_BATCH_SIZE={settings.EMBEDDING_BATCH_SIZE} is more than {name} takes in one call.",
                    hint=f"Set it to at most {chosen.max_batch}.",
                    id="embeddings.E003",
                )
            )
    return found


def register() -> None:
    """Have Django run the checks before every command."""
    checks.register(check_provider)
