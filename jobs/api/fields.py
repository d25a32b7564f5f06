"""Fields that take what the API says they take, and nothing else.

Django REST framework's own fields take a number for a text, `"yes"` for true and `true` for 1. A client that sends
those has made a mistake, and hears of it.
"""

import re
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework import serializers

#: A UUID with its hyphens or without them; Python's own reader also takes braces, `urn:uuid:` and hyphens anywhere.
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
#: A moment with its time zone (RFC 3339): without one it would be off by hours for whoever is not in UTC.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def read_uuid(text: str) -> UUID:
    """Return the UUID that `text` spells; raises `ValueError` for any other spelling."""
    if not _UUID.fullmatch(text):
        raise ValueError("not a UUID")
    return UUID(text)


def read_moment(text: str) -> datetime:
    """Return the moment that `text` names, in UTC; raises `ValueError` with what is wrong, for people."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("Give a date and a time with its time zone, as in 2026-01-31T12:00:00Z.")
    try:
        # PostgreSQL takes fewer time zones than Python does.
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such date or time.") from None


class TextUUIDField(serializers.UUIDField):
    """A UUID written as text."""

    def to_internal_value(self, data: Any) -> UUID:
        """Read the text."""
        try:
            return read_uuid(data)
        except (TypeError, ValueError):
            self.fail("invalid", value=data)


class TextField(serializers.CharField):
    """A text. `pattern` is what the schema tells of its characters, for both Python and JavaScript."""

    pattern: ClassVar = r"^[^\u0000]*$"

    def to_internal_value(self, data: Any) -> str:
        """Read a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """`true` or `false`."""

    def to_internal_value(self, data: Any) -> Any:
        """Read a boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class NumberField(serializers.FloatField):
    """A number."""

    def to_internal_value(self, data: Any) -> float:
        """Read a number."""
        if not _is_number(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: Any) -> int:
        """Read a whole number, `2.0` included."""
        if not _is_number(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """A moment with its time zone."""

    def to_internal_value(self, value: Any) -> datetime:
        """Read a string."""
        try:
            return read_moment(str(value))
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="invalid") from None


class DayField(serializers.DateField):
    """A day, as 2026-01-31."""

    def to_internal_value(self, value: Any) -> date:
        """Read a string."""
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


def _is_number(data: Any) -> bool:
    return isinstance(data, int | float) and not isinstance(data, bool)
