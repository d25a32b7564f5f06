"""What two businesses have in common besides their texts: a number from 0 to 1, a tenth of the score.

The formula is the product's own (README, "Similar businesses").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from embeddings.blocks import ROWS, Ids, as_ids

Scores = NDArray[np.float64]

#: Share of each part in the score.
SEMANTIC_WEIGHT, CONTEXT_WEIGHT = 0.9, 0.1

#: Price levels so many steps apart, and when a level is unknown.
PRICE: Final = (0.5, 0.3, 0.1, 0.0)
PRICE_UNKNOWN: Final = 0.25
SAME_CATEGORY: Final = 0.3
SAME_CITY: Final = 0.2
#: For other cities, when either serves online or the city of either is unknown.
CITY_IN_REACH: Final = 0.1

#: Levels from 1 to 4; 0 is unknown.
LEVELS: Final = 5
#: The code of a city that is not known.
NOWHERE: Final = 0

#: What both price levels come to.
PRICES: Final[Scores] = np.array(
    [
        [PRICE_UNKNOWN if not (one and other) else PRICE[abs(one - other)] for other in range(LEVELS)]
        for one in range(LEVELS)
    ]
)


@dataclass(frozen=True, slots=True)
class Traits:
    """What the context is made of, for n businesses in the order of their ids."""

    ids: Ids
    category: NDArray[np.int32]
    #: `NOWHERE` when it is not known.
    city: NDArray[np.int32]
    price: NDArray[np.int8]
    online: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: Any) -> "Traits":
        """Return the chosen ones."""
        return Traits(*(column[places] for column in _columns(self)))

    @property
    def reaches(self) -> NDArray[np.bool_]:
        """Whether other cities count half."""
        reaches: NDArray[np.bool_] = self.online | (self.city == NOWHERE)
        return reaches


class Codes:
    """Numbers for names, the same for the same name."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {"": NOWHERE}
        self._names = [""]

    def of(self, names: Iterable[str]) -> NDArray[np.int32]:
        """Return the number of each name; `NOWHERE` for the empty one."""
        return np.array([self._number(name) for name in names], np.int32)

    def name(self, number: int) -> str:
        """Return the name that has a number."""
        return self._names[number]

    def _number(self, name: str) -> int:
        number = self._known.get(name)
        if number is None:
            number = self._known[name] = len(self._names)
            self._names.append(name)
        return number


#: Id, category, city, price level, offers online.
Row = tuple[UUID, str, str, int | None, bool]


def traits_of(rows: Iterable[Row], codes: Codes) -> Traits:
    """Make traits of rows; `codes` as of those that they are to be compared with."""
    parts = []
    rows = iter(rows)
    while some := list(islice(rows, ROWS)):
        parts.append(_traits_of(some, codes))
    if not parts:
        return _traits_of([], codes)
    whole = Traits(*(np.concatenate(each) for each in zip(*map(_columns, parts), strict=True)))
    return whole.take(np.argsort(whole.ids))


def _columns(traits: Traits) -> tuple[NDArray[Any], ...]:
    return traits.ids, traits.category, traits.city, traits.price, traits.online


def _traits_of(rows: list[Row], codes: Codes) -> Traits:
    return Traits(
        as_ids([row[0] for row in rows]),
        codes.of(row[1] for row in rows),
        codes.of(row[2] for row in rows),
        np.array([row[3] or 0 for row in rows], np.int8),
        np.array([row[4] for row in rows], np.bool_),
    )


def context_of(one: Traits, other: Traits) -> Scores:
    """Return the context of each pair: of the first of both, of the second of both, and so on."""
    same_city = (one.city == other.city) & (one.city != NOWHERE)
    in_reach = one.reaches | other.reaches
    context: Scores = PRICES[one.price, other.price]
    context = context + SAME_CATEGORY * (one.category == other.category)
    return context + np.where(same_city, SAME_CITY, np.where(in_reach, CITY_IN_REACH, 0.0))


def score_of(semantic: Scores, context: Scores) -> Scores:
    """Return the score: 0.9 of the meaning and 0.1 of the context."""
    return SEMANTIC_WEIGHT * semantic + CONTEXT_WEIGHT * context
