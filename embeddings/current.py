"""The provider and model that this installation uses.

The provider is that of the settings. Which of its models serves is a fact of the database, so that all processes change
over at once (`embeddings.switch`); where nobody has switched, the settings say it.
"""

from functools import cache
from threading import Lock
from typing import LiteralString

from django.conf import settings
from django.db import connection

from embeddings.providers import default_model, provider_class, vendor
from embeddings.providers.base import Provider

#: PostgreSQL's advisory lock of the switch. A transaction that stores vectors holds it shared, one that switches alone:
#: in the order of their asking, which the lock of a row would not promise.
#: The ASCII codes of "ylwmodel".
SWITCH_LOCK = int.from_bytes(b"ylwmodel", "big")

#: The model that was switched to, none where nobody has switched; for statements that ask for more besides. Its one
#: parameter is `vendor(settings.EMBEDDING_PROVIDER)`.
CHOSEN: LiteralString = "SELECT model FROM embeddings_servingmodel WHERE vendor = %s"

_making = Lock()


def current_model() -> str:
    """Return the name of the model whose vectors serve now; one small query."""
    return _chosen() or configured_model()


def configured_model() -> str:
    """Return the model that serves where nobody has switched."""
    return str(settings.EMBEDDING_MODEL) or default_model(settings.EMBEDDING_PROVIDER)


def hold_current_model() -> str:
    """Return the name of the model that serves, and will until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [SWITCH_LOCK])
    # A statement of its own: it sees what was committed while the lock was waited for.
    return current_model()


def current_provider() -> Provider:
    """Return this process's provider with the model that serves now."""
    return provider_for(current_model())


def similarity_floor(model: str) -> float:
    """Return the similarity below which two of the model's vectors say nothing; 0 to 1."""
    return provider_class(settings.EMBEDDING_PROVIDER).similarity_floor(model)


def provider_for(model: str, *, timeout: float | None = None) -> Provider:
    """Return this process's provider with the given model; raises what the provider raises for one it can't make.

    Made at first use, so after any fork, and kept: SDK clients hold connections. `timeout` is for callers who can't
    wait as long as the settings say; a provider that calls nobody is the same for all.
    """
    name = settings.EMBEDDING_PROVIDER
    if timeout is None or not provider_class(name).needs_key:
        timeout = settings.EMBEDDING_TIMEOUT
    with _making:
        return _made(name, model, timeout)


@cache
def _made(name: str, model: str, timeout: float) -> Provider:
    return provider_class(name)(
        model=model, timeout=timeout, api_key=settings.GEMINI_API_KEY, base_url=settings.GEMINI_BASE_URL
    )


def _chosen() -> str | None:
    # Asked with every search: composing the statement would take longer than running it.
    with connection.cursor() as cursor:
        cursor.execute(CHOSEN, [vendor(settings.EMBEDDING_PROVIDER)])
        row = cursor.fetchone()
    return str(row[0]) if row else None
