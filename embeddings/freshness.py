"""Which subjects have the vector of their present text."""

from django.db.models import OuterRef, QuerySet

from embeddings.current import current_model
from embeddings.models import Embedding


def fresh_vector(model: str | None = None) -> QuerySet[Embedding]:
    """Return, for use on subjects, the vector of their present text by a model; by the one in use, unless named."""
    return Embedding.objects.filter(
        business_id=OuterRef("pk"), model=model or current_model(), text_hash=OuterRef("text_hash")
    )
