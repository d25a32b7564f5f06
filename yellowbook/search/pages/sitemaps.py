"""The addresses of all pages, for search engines: an index of parts, each cheap whatever the number of businesses.

A part holds the businesses whose id begins with its hexadecimal digits. Ids are random, so that parts are alike in
size, and each is a range of the primary key: nothing is counted or skipped.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from yellowbook.directory.selectors import published

#: Addresses that a part may hold (sitemaps.org).
MOST_ADDRESSES: Final = 50_000
#: Businesses up to which one digit is enough: then a part has 10,000 on average.
ONE_DIGIT_UP_TO: Final = 160_000
_DIGITS: Final = "0123456789abcdef"


def parts(businesses: int) -> list[str]:
    """Return the names of the parts for so many businesses."""
    if businesses <= ONE_DIGIT_UP_TO:
        return list(_DIGITS)
    return [first + second for first in _DIGITS for second in _DIGITS]


def businesses_in(part: str) -> Iterator[tuple[UUID, datetime]]:
    """Return the published businesses of a part, by id, with the time of their last change."""
    first, last = UUID(part.ljust(32, "0")), UUID(part.ljust(32, "f"))
    rows = published().filter(pk__range=(first, last)).order_by("pk").values_list("pk", "updated_at")
    return rows[:MOST_ADDRESSES].iterator()
