"""Looking at whole tables in pieces, each by one short statement."""

from collections.abc import Iterator, Mapping
from typing import Any, LiteralString

from django.db import connection
from django.db.models import Model, QuerySet
from psycopg import sql

from jobs.upkeep.audit import Finding

#: Pages of 8 kB that one statement reads: 64 MB, which takes a fraction of a second from memory, a few from disk.
PAGES = 8_192
#: Keys that one statement looks at.
KEYS = 20_000

_FIND = """
WITH violation (example) AS MATERIALIZED ({statement})
SELECT (SELECT count(*) FROM violation), ARRAY(SELECT example FROM violation ORDER BY example LIMIT %(limit)s)
"""

_SCAN = """
SELECT count(*), (array_agg({example}))[1:%(limit)s]
  FROM {table} AS row
 WHERE row.ctid >= %(beginning)s::tid AND row.ctid < %(end)s::tid AND ({condition})
"""

_DELETE = """
DELETE FROM {table} AS row
 WHERE row.ctid >= %(beginning)s::tid AND row.ctid < %(end)s::tid AND ({condition})
"""


def find(statement: LiteralString, limit: int, parameters: Mapping[str, Any] | None = None) -> Finding:
    """Find by a statement that returns one short text for each violation; it is counted whole and shown in part."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_FIND).format(statement=sql.SQL(statement)), {**(parameters or {}), "limit": limit})
        count, examples = cursor.fetchone()
    return Finding(count, list(examples))


def scan(
    model: type[Model],
    condition: LiteralString,
    example: LiteralString,
    limit: int,
    parameters: Mapping[str, Any] | None = None,
) -> Finding:
    """Read a table once and find the rows (called `row`) that meet an SQL condition; `example` is how one is shown."""
    table = sql.Identifier(model._meta.db_table)
    statement = sql.SQL(_SCAN).format(example=sql.SQL(example), table=table, condition=sql.SQL(condition))
    count = 0
    examples: list[str] = []
    for pages in _pages(model):
        with connection.cursor() as cursor:
            cursor.execute(statement, {**(parameters or {}), **pages, "limit": limit})
            number, some = cursor.fetchone()
        count += number
        examples += some or []
    return Finding(count, examples[:limit])


def delete(model: type[Model], condition: LiteralString, parameters: Mapping[str, Any] | None = None) -> int:
    """Delete the rows that `scan` finds, piece by piece; return how many there were."""
    table = sql.Identifier(model._meta.db_table)
    statement = sql.SQL(_DELETE).format(table=table, condition=sql.SQL(condition))
    gone = 0
    for pages in _pages(model):
        with connection.cursor() as cursor:
            cursor.execute(statement, {**(parameters or {}), **pages})
            gone += cursor.rowcount
    return gone


def _pages(model: type[Model]) -> Iterator[dict[str, str]]:
    """Yield ranges of row positions (`ctid`) that together hold a table.

    PostgreSQL reads such a range straight from the table, without an index. A row that is rewritten between two
    statements may be missed, or be met twice: rows that nobody touches are met once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int", [model._meta.db_table]
        )
        pages = int(cursor.fetchone()[0])
    for page in range(0, pages, PAGES):
        yield {"beginning": f"({page},0)", "end": f"({page + PAGES},0)"}


def walk(rows: QuerySet[Any], violations: QuerySet[Any], key: str, limit: int) -> tuple[int, list[Any]]:
    """Count `violations`, a part of `rows`, range by range of a unique `key`; return the first keys too."""
    count = 0
    keys: list[Any] = []
    for each in ranges_of(rows, key):
        found = violations.filter(**each)
        number = found.count()
        if number and len(keys) < limit:
            keys += found.order_by(key).values_list(key, flat=True)[: limit - len(keys)]
        count += number
    return count, keys


def ranges_of(rows: QuerySet[Any], key: str) -> Iterator[dict[str, Any]]:
    """Yield filters that cut `rows` into ranges of a unique `key`, of `KEYS` rows each; the last one is open."""
    keys = rows.order_by(key).values_list(key, flat=True)
    after: dict[str, Any] = {}
    while last := list(keys.filter(**after)[KEYS - 1 : KEYS]):
        yield {**after, f"{key}__lte": last[0]}
        after = {f"{key}__gt": last[0]}
    yield after
