"""JSON form of similar businesses."""

from typing import Any

from rest_framework import serializers

from yellowbook.directory.api.serializers import BusinessSerializer
from yellowbook.similarity.selectors import Similar, SimilarOnes

#: Decimals of a score: as many as are stored.
DECIMALS = 6


class ScoreField(serializers.FloatField):
    """A score."""

    def to_representation(self, value: Any) -> Any:
        """Round it."""
        return round(float(value), DECIMALS)


class SimilarSerializer(serializers.Serializer[Similar]):
    """A similar business, and why it is one."""

    business = BusinessSerializer(read_only=True)
    score = ScoreField(read_only=True, help_text="0.9 x `semantic` + 0.1 x `context`.")
    semantic = ScoreField(read_only=True, help_text="Cosine of the angle between both vectors, -1 to 1.")

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        """Add `context`, a name that the class itself uses otherwise."""
        context = ScoreField(read_only=True, help_text="Price level, category and city, 0 to 1.")
        return {**super().get_fields(), "context": context}


class SimilarOnesSerializer(serializers.Serializer[SimilarOnes]):
    """The businesses similar to one, the most similar first."""

    results = SimilarSerializer(many=True, read_only=True)
    computed_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="Null before anything was computed; then `results` is empty."
    )
    next_compute_at = serializers.DateTimeField(read_only=True, allow_null=True)
    candidates = serializers.IntegerField(read_only=True, help_text="With how many businesses it was compared.")


class LimitField(serializers.IntegerField):
    """A whole number as an address spells it: digits and nothing else."""

    def to_internal_value(self, data: Any) -> int:
        """Read the digits."""
        if not (data.isascii() and data.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(data)


class SimilarQuerySerializer(serializers.Serializer[dict[str, int]]):
    """What may be asked."""

    limit = LimitField(min_value=1, max_value=50, required=False, help_text="At most so many of those that are kept.")
