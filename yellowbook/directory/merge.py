"""Brings the rows of an import together with the businesses that they are about, in memory."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from yellowbook.directory.models import Business
from yellowbook.directory.rows import COLUMNS, Rejection, Row, missing
from yellowbook.directory.text import TEXT_FIELDS

Place = tuple[str, str]

_values = attrgetter(*COLUMNS)
_text_values = attrgetter(*TEXT_FIELDS)


class Target:
    """A business that rows of the import are about."""

    def __init__(self, business: Business, *, is_new: bool) -> None:
        self.business = business
        self.is_new = is_new
        #: How many rows were about it.
        self.rows = 0
        self._before: tuple[Any, ...] = () if is_new else _values(business)
        self._text_before: tuple[Any, ...] = () if is_new else _text_values(business)

    @property
    def changed(self) -> bool:
        """Whether the rows made it different from what is stored."""
        return _values(self.business) != self._before

    @property
    def text_changed(self) -> bool:
        """Whether the rows changed its embedded text."""
        return _text_values(self.business) != self._text_before


class Merge:
    """Applies rows, one after the other, to the known businesses and to those that the rows themselves add."""

    def __init__(self, known: Iterable[Business]) -> None:
        self.rejected: list[Rejection] = []
        self._targets: dict[UUID, Target] = {}
        self._by_external_id: dict[str, Business] = {}
        self._by_place: defaultdict[Place, list[Business]] = defaultdict(list)
        for business in sorted(known, key=lambda business: (business.created_at, business.pk)):
            self._register(business)

    @property
    def targets(self) -> list[Target]:
        """The businesses that at least one row was about, in the order of the rows."""
        return list(self._targets.values())

    def apply(self, row: Row) -> None:
        """Write the values of `row` into the business that it is about, a new one if there is none; or reject it."""
        business = self._find(row.values)
        errors = missing(row.values) if business is None else {}
        if not errors:
            try:
                business = self._add(row.values) if business is None else self._change(business, row.values)
            except ValidationError as error:
                errors = error.message_dict
        if errors or business is None:
            self.rejected.append(Rejection(row.line, errors))
        else:
            self._targets[business.pk].rows += 1

    def _find(self, values: Mapping[str, Any]) -> Business | None:
        if "external_id" in values:
            return self._by_external_id.get(values["external_id"])
        there = self._by_place.get((values["name"], values["address"]))
        return there[0] if there else None

    def _add(self, values: Mapping[str, Any]) -> Business:
        business = Business(**values)
        business.clean()
        self._register(business)
        self._targets[business.pk] = Target(business, is_new=True)
        return business

    def _change(self, business: Business, values: Mapping[str, Any]) -> Business:
        before = {name: getattr(business, name) for name in values}
        place = _place(business)
        target = self._targets.get(business.pk) or Target(business, is_new=False)
        for name, value in values.items():
            setattr(business, name, value)
        try:
            business.clean()
        except ValidationError:
            for name, value in before.items():
                setattr(business, name, value)
            raise
        self._targets[business.pk] = target
        if _place(business) != place:
            self._by_place[place].remove(business)
            self._by_place[_place(business)].append(business)
        return business

    def _register(self, business: Business) -> None:
        if business.external_id:
            self._by_external_id[business.external_id] = business
        self._by_place[_place(business)].append(business)


def _place(business: Business) -> Place:
    return business.name, business.address
