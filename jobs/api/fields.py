"""Fields that take what the API says they take, and nothing else."""

from typing import Any
from uuid import UUID

from rest_framework import serializers


class TextUUIDField(serializers.UUIDField):
    """A UUID written as text; DRF's own field also takes numbers and `true`."""

    def to_internal_value(self, data: Any) -> UUID:
        """Read the text."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)
