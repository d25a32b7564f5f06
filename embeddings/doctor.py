"""What the doctor looks at for embeddings: the provider."""

from django.conf import settings

from embeddings.calls import embed_texts
from embeddings.current import current_model, current_provider
from embeddings.providers import provider_class
from embeddings.providers.base import TaskType
from embeddings.quota import PROBE_TEXT, probe
from jobs.errors import JobError, RateLimited
from jobs.upkeep.examination import Check, Diagnosis, ok, problem, register_check, warning


def _provider() -> Diagnosis:
    name = settings.EMBEDDING_PROVIDER
    try:
        chosen = provider_class(name)
    except ImportError as error:
        return problem(f"{name} can't be loaded: {error}", "Install its SDK, or choose another EMBEDDING_PROVIDER.")
    said = f"{name}, model {current_model()}"
    if not chosen.needs_key:
        return ok(f"{said}; needs no key")
    if not settings.GEMINI_API_KEY:
        return problem(f"{said}: its key is missing", "Set GEMINI_API_KEY, or EMBEDDING_PROVIDER=local.")
    where = ", at another address (GEMINI_BASE_URL)" if settings.GEMINI_BASE_URL else ""
    return ok(f"{said}; its key is set{where}")


def _answers() -> Diagnosis:
    """Embed one short text, paid for like any other."""
    provider = current_provider()
    try:
        if provider.needs_key:
            probe()
        else:
            embed_texts([PROBE_TEXT], TaskType.DOCUMENT, provider)
    except RateLimited as error:
        return warning(error.message, "Wait, or raise the quota (EMBEDDING_RPM, _TPM, _RPD).")
    except JobError as error:
        return problem(f"{error.error_class}: {error.message}", "Mend what the message names.")
    return ok("a vector came back")


register_check(Check("provider", _provider))
register_check(Check("provider_answers", _answers, needs=("provider", "migrations"), spends=True))
