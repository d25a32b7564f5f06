"""Which subjects have the vector of their present text."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from embeddings.current import current_model
from embeddings.models import Embedding
from embeddings.source import text_source


def fresh_vector(model: str | None = None) -> QuerySet[Embedding]:
    """Return, for use on subjects, the vector of their present text by a model; by the one in use, unless named."""
    return Embedding.objects.filter(
        business_id=OuterRef("pk"), model=model or current_model(), text_hash=OuterRef("text_hash")
    )


def not_fresh(model: str | None = None) -> QuerySet[Any]:
    """Return the subjects without a vector of their present text by a model."""
    subjects: QuerySet[Any] = text_source().subjects()
    return subjects.filter(~Exists(fresh_vector(model)))
