"""How many published businesses there are: by category, city, price level and tag."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Final
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from jobs.shared import shared
from yellowbook.directory.selectors import published
from yellowbook.search.filters import Filters
from yellowbook.search.version import current_version

#: Values of a field that are told apart; the rest is only counted.
MOST_VALUES: Final = 60

#: One pass for all fields, and one for tags. `values` is how many there are of which the first are returned.
_COUNT = """
WITH counted AS (
    SELECT category, city, price_level, count(*) AS businesses, grouping(category, city, price_level) AS kept
      FROM search_document AS document WHERE true {where}
     GROUP BY GROUPING SETS ((category), (city), (price_level), ())
), ranked AS (
    SELECT *, row_number() OVER of_field AS place, count(*) OVER (PARTITION BY kept) AS values
      FROM counted WHERE coalesce(category, city, price_level::text, '-') <> ''
    WINDOW of_field AS (PARTITION BY kept ORDER BY businesses DESC, category, city, price_level)
), tagged AS (
    SELECT tag, count(*) AS businesses, row_number() OVER (ORDER BY count(*) DESC, tag) AS place
      FROM search_document AS document, unnest(document.tags) AS tag WHERE true {where}
     GROUP BY tag
)
SELECT kept, place, coalesce(category, city), price_level, businesses, values FROM ranked WHERE place <= %(most)s
 UNION ALL
SELECT %(tags)s, place, tag, NULL, businesses, 0 FROM tagged WHERE place <= %(most)s
 ORDER BY 1, 2
"""
#: What `grouping` returns for each set: a bit for every column that the set leaves out.
_CATEGORY, _CITY, _PRICE, _ALL = 0b011, 0b101, 0b110, 0b111
#: What stands in its place for tags, of which a business has several.
_TAG = 0b1000


@dataclass(slots=True)
class Counts:
    """Businesses in all, and by value, the most frequent value first."""

    total: int = 0
    categories: dict[str, int] = field(default_factory=dict)
    cities: dict[str, int] = field(default_factory=dict)
    #: By level as text, the cheapest first.
    price_levels: dict[str, int] = field(default_factory=dict)
    #: By the name of the tag.
    tags: dict[str, int] = field(default_factory=dict)
    #: How many values there are, also those that are not told apart.
    number_of_categories: int = 0
    number_of_cities: int = 0


def counts(filters: Filters) -> Counts:
    """Return the counts of what is published and fits; kept in Redis until something changes."""
    asked = orjson.dumps([filters.given(), current_version()], option=orjson.OPT_SORT_KEYS)
    key = f"counts:{sha256(asked).hexdigest()}"
    kept = shared.get(key)
    if kept is not None:
        return Counts(**orjson.loads(kept))
    found = _counted(filters)
    shared.put(key, orjson.dumps(asdict(found)), seconds=settings.SEARCH_CACHE)
    return found


def counts_of(ids: Sequence[UUID]) -> Counts:
    """Return the counts of these, one query; who is not published any more is left out."""
    columns = ("category", "city", "price_level", "search_document__tags")
    rows = list(published().filter(pk__in=ids).values_list(*columns))
    tags = Counter(tag for *_, of_one in rows for tag in of_one or ())
    columns_of = zip(*(row[:3] for row in rows), strict=True)
    categories, cities, levels = (Counter(column) for column in columns_of) if rows else ({}, {}, {})
    found = Counts(
        total=len(rows),
        categories=_frequent(categories),
        cities=_frequent(cities),
        price_levels=_by_level(levels),
        tags=_frequent(tags),
    )
    found.number_of_categories, found.number_of_cities = len(found.categories), len(found.cities)
    return found


def _counted(filters: Filters) -> Counts:
    where, values = filters.sql()
    with connection.cursor() as cursor:
        # Composed of constants and names of fields; every value is a parameter.
        cursor.execute(_COUNT.format(where=where), values | {"most": MOST_VALUES, "tags": _TAG})
        rows = cursor.fetchall()
    found = Counts()
    levels: dict[int | None, int] = {}
    for kept, _place, name, level, businesses, number in rows:
        if kept == _ALL:
            found.total = businesses
        elif kept == _CATEGORY:
            found.categories[name] = businesses
            found.number_of_categories = number
        elif kept == _CITY:
            found.cities[name] = businesses
            found.number_of_cities = number
        elif kept == _PRICE:
            levels[level] = businesses
        elif kept == _TAG:
            found.tags[name] = businesses
    found.price_levels = _by_level(levels)
    return found


def _frequent(values: dict[str, int]) -> dict[str, int]:
    return dict(sorted(((name, many) for name, many in values.items() if name), key=lambda each: (-each[1], each[0])))


def _by_level(levels: dict[int | None, int]) -> dict[str, int]:
    return {str(level): many for level, many in sorted(each for each in levels.items() if each[0] is not None)}
