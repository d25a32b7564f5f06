"""Turns records of an imported file into values for the fields of a business, by the same rules as everywhere else."""

from collections.abc import Callable, Collection, Iterator, Mapping
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
    for name, convert, field in _FIELDS:
        if name not in record.values:
            continue
        try:
            value = convert(record.values[name])
            if value or name not in _NEVER_CLEARED:
                values[name] = field.clean(value, None)
        except ValidationError as error:
            errors[name] = error.messages
    if "external_id" not in values and not errors:
        errors = {name: ["This is required when there is no external_id."] for name in PLACE if name not in values}
    return Rejection(record.line, errors) if errors else Row(record.line, values)


def missing(values: Mapping[str, Any]) -> Errors:
    """Return an error for each required field that a new business with these values would lack."""
    return {name: ["This is required for a new business."] for name in REQUIRED if not values.get(name)}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValidationError("Give a text.")


def _word(value: Any) -> str:
    return _text(value).lower()


def _flag(value: Any) -> bool:
    word = str(value).lower() if isinstance(value, bool) else _word(value)
    if word not in _YES | _NO:
        raise ValidationError("Give true or false.")
    return word in _YES


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValidationError("Give a number.") from None


def _whole_number(value: Any) -> int | None:
    number = _number(value)
    if number is not None and not number.is_integer():
        raise ValidationError("Give a whole number.")
    return None if number is None else int(number)


def _converter(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    """Return what brings a CSV cell or a JSON value into the form that the field's own validation takes."""
    if isinstance(field, models.BooleanField):
        return _flag
    if isinstance(field, models.FloatField):
        return _number
    if isinstance(field, models.IntegerField):
        return _whole_number
    return _word if field.choices else _text


def _fields() -> Iterator[tuple[str, Callable[[Any], Any], models.Field[Any, Any]]]:
    for name in COLUMNS:
        field = Business._meta.get_field(name)
        if isinstance(field, models.Field):
            yield name, _converter(field), field


_FIELDS: Final = tuple(_fields())


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) + "."
