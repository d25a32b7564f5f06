"""Turns records of an imported file into values for the fields of a business, by the same rules as everywhere else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models

from yellowbook.directory.models import Business
from yellowbook.directory.parsers import Record, UnreadableFile

#: Columns that an import understands, each a field of the model.
COLUMNS: Final = (
    "external_id",
    "name",
    "category",
    "description",
    "address",
    "city",
    "phone",
    "email",
    "website",
    "latitude",
    "longitude",
    "price_level",
    "offers_online",
    "status",
)
#: What a new business must have.
REQUIRED: Final = ("name", "category", "address")
#: What names a business that has no external id.
PLACE: Final = ("name", "address")
#: An empty cell of these says nothing, since there is nothing that they could be cleared to.
_NEVER_CLEARED: Final = frozenset({"external_id", "status"})

_YES: Final = frozenset({"true", "yes", "1", "t", "y", "тийм"})
_NO: Final = frozenset({"false", "no", "0", "f", "n", "үгүй", ""})

_FIELDS: Final[Mapping[str, models.Field[Any, Any]]] = {
    name: Business._meta.get_field(name)  # type: ignore[misc]
    for name in COLUMNS
}

Errors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """A record whose values are valid one by one. Columns that were not given are not there."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that is not imported: the line that it begins on, and what is wrong by column (`row`: the line itself)."""

    line: int
    errors: Errors


def check_columns(columns: Collection[str]) -> None:
    """Raise `UnreadableFile` for a header under which no row could say which business it is about."""
    if "external_id" not in columns and not set(PLACE).issubset(columns):
        raise UnreadableFile("The header must name external_id, or name and address; it may name " + _listed(COLUMNS))


def read_row(record: Record) -> Row | Rejection:
    """Validate one record by itself. What it needs beside others (required fields of a new business) comes later."""
    if record.problem:
        return Rejection(record.line, {"row": [record.problem]})
    values: dict[str, Any] = {}
    errors: Errors = {}
    for name, field in _FIELDS.items():
        if name not in record.values:
            continue
        try:
            value = _converted(field, record.values[name])
            if value not in ("", None) or name not in _NEVER_CLEARED:
                values[name] = field.clean(value, None)
        except ValidationError as error:
            errors[name] = error.messages
    if "external_id" not in values and not errors:
        errors = {name: ["This is required when there is no external_id."] for name in PLACE if name not in values}
    return Rejection(record.line, errors) if errors else Row(record.line, values)


def missing(values: Mapping[str, Any]) -> Errors:
    """Return an error for each required field that a new business with these values would lack."""
    return {name: ["This is required for a new business."] for name in REQUIRED if not values.get(name)}


def _converted(field: models.Field[Any, Any], value: Any) -> Any:
    """Bring a CSV cell or a JSON value into a form that the field's own validation takes; raises `ValidationError`."""
    if isinstance(value, str):
        value = value.strip()
    if isinstance(field, models.BooleanField):
        return _flag(value)
    if isinstance(value, bool | list | dict):
        raise ValidationError("Give a text or a number.")
    if isinstance(field, models.FloatField | models.IntegerField):
        return _number(value, whole=isinstance(field, models.IntegerField))
    if value is None:
        return ""
    text = str(value)
    return text.lower() if field.choices else text


def _flag(value: Any) -> bool:
    word = str("" if value is None else value).lower()
    if word not in _YES | _NO:
        raise ValidationError("Give true or false.")
    return word in _YES


def _number(value: Any, *, whole: bool) -> float | int | None:
    if value in ("", None):
        return None
    try:
        number = float(value)
        if not whole:
            return number
        if number.is_integer():
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise ValidationError("Give a whole number." if whole else "Give a number.")


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) + "."
