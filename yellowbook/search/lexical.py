"""Ranking by words: PostgreSQL's full text search over terms. Rare words count for more, slips are forgiven."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

from yellowbook.search.filters import Filters
from yellowbook.search.index import hashes_of
from yellowbook.search.words import FUZZY_FROM, distance, terms_of

#: Words of a query that count.
MOST_WORDS: Final = 12
#: Documents that are ranked, at most: the rarest words of a query choose them.
MOST_RANKED: Final = 1_000
#: Terms that a word with a slip of the pen may stand for.
MOST_MEANT: Final = 6
#: Slips that are forgiven: one, or two in a word of at least this many letters.
TWO_SLIPS_FROM: Final = 8
#: How much a word counts for that is not spelt like that.
SLIP_QUALITY: Final = {0: 1.0, 1: 0.7, 2: 0.5}
#: Weights of the fields D, C, B and A (`index.WEIGHTS`): who asks for a hotel means the category before the name.
WEIGHTS: Final = [0.2, 0.3, 1.0, 0.8]

#: The words of a query and those a slip of the pen away; before them, under no term, the number of all documents.
_TERMS = """
SELECT '', greatest(reltuples, 0)::int FROM pg_class WHERE oid = 'search_document'::regclass
UNION ALL
SELECT term, documents FROM search_term WHERE term = ANY(%(terms)s) OR slips && %(hashes)s::int[]
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A word of a query, and the terms that it may stand for."""

    term: str
    meant: tuple[str, ...]
    #: How sure that is, 0 to 1.
    quality: float
    documents: int
    #: How much it tells: the less documents have it, the more.
    weight: float

    @property
    def tsquery(self) -> str:
        """The word in PostgreSQL's language of queries."""
        return "(" + " | ".join(f"'{term}'" for term in self.meant) + ")"


@dataclass(frozen=True, slots=True)
class Match:
    """A document that has words of the query."""

    business_id: UUID
    #: Higher is better; of one query only.
    rank: float
    #: How much of the query it has, 0 to 1, by what its words tell.
    cover: float
    #: How much of the query is in the name, and of the name in the query, 0 to 1.
    name: float
    #: Whether that is so for words with a slip of the pen alone.
    spelling: bool
    category: str


def by_words(text: str, filters: Filters, *, limit: int) -> list[Match]:
    """Return the up to `limit` published businesses that match a query's words best, the best first."""
    with by_words_meanwhile(text, filters, limit=limit) as matches:
        return matches()


@contextmanager
def by_words_meanwhile(text: str, filters: Filters, *, limit: int) -> Iterator[Callable[[], list[Match]]]:
    """Have PostgreSQL rank by words while the caller does something else; what is yielded waits for `by_words`.

    The statement is sent and not waited for (libpq's pipeline mode), so inside it is no time for a transaction.
    """
    asked = understood(text)
    if not asked.words:
        yield list
        return
    with connection.cursor() as cursor, connection.connection.pipeline():
        cursor.execute(*statement(asked.words, filters, limit))
        yield lambda: [_match(asked, *row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Understood:
    """A query: its words that occur anywhere, and how much all of its words tell."""

    words: list[Asked]
    total: float


def understood(text: str) -> Understood:
    """Return the words of a query with what they may stand for."""
    pairs = list(dict.fromkeys(terms_of(text)))[:MOST_WORDS]
    if not pairs:
        return Understood([], 0.0)
    terms = {each for pair in pairs for each in pair}
    hashes = {each for term, _ in pairs if len(term) >= FUZZY_FROM for each in hashes_of(term)}
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, {"terms": list(terms), "hashes": list(hashes)})
        known: dict[str, int] = dict(cursor.fetchall())
    size = known.pop("")
    total = max(size, *known.values(), 1)
    words = [word for term, stem in pairs if (word := _asked(term, stem, known, total)) is not None]
    # A word that occurs nowhere tells as much as the rarest one.
    lost = math.log(1 + total) * (len(pairs) - len(words))
    return Understood(words, sum(word.weight / word.quality for word in words) + lost)


def _asked(term: str, stem: str, known: Mapping[str, int], total: float) -> Asked | None:
    exact = [each for each in dict.fromkeys((term, stem)) if each in known]
    slips = 0
    if not exact:
        near = sorted((distance(term, each), -documents, each) for each, documents in known.items())
        allowed = 2 if len(term) >= TWO_SLIPS_FROM else 1
        near = [each for each in near if each[0] <= allowed]
        slips = near[0][0] if near else 0
        exact = [each for many, _, each in near if many == slips][:MOST_MEANT]
    if not exact:
        return None
    documents = sum(known[each] for each in exact)
    quality = SLIP_QUALITY[slips]
    return Asked(term, tuple(exact), quality, documents, quality * math.log(1 + total / documents))


def statement(asked: Sequence[Asked], filters: Filters, limit: int) -> tuple[str, dict[str, Any]]:
    """Return the statement that ranks, and its parameters.

    The rarest words choose the documents, any of them; where even the rarest one is in too many, all words together.
    """
    rarest = sorted(asked, key=lambda word: word.documents)
    choosing, documents = [rarest[0]], rarest[0].documents
    for word in rarest[1:]:
        documents += word.documents
        if documents > MOST_RANKED:
            break
        choosing.append(word)
    common = rarest[0].documents > MOST_RANKED
    given: dict[str, Any] = {
        "chosen": " & ".join(word.tsquery for word in asked) if common else " | ".join(w.tsquery for w in choosing),
        "weights": WEIGHTS,
        "most": MOST_RANKED,
        "limit": limit,
    }
    for number, word in enumerate(asked):
        given |= {f"query{number}": word.tsquery, f"weight{number}": word.weight}
    numbers = range(len(asked))
    ranked = " + ".join(f"%(weight{n})s * ts_rank(%(weights)s::real[], words, %(query{n})s::tsquery)" for n in numbers)
    covered = " + ".join(f"%(weight{n})s * (words @@ %(query{n})s::tsquery)::int" for n in numbers)
    where, values = filters.sql()
    # Composed of constants, numbers and names of fields; every value is a parameter.
    return (
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT business_id, category, words, name_terms FROM search_document AS document
             WHERE words @@ %(chosen)s::tsquery {where} LIMIT %(most)s
        )
        SELECT business_id, category, rank, {covered}, name_terms
          FROM (SELECT business_id, category, words, name_terms, {ranked} AS rank FROM chosen
                 ORDER BY rank DESC, business_id LIMIT %(limit)s) AS best
        """,  # noqa: S608
        given | values,
    )


def _match(
    asked: Understood, business_id: UUID, category: str, rank: float, covered: float, name_terms: Sequence[str]
) -> Match:
    inside = [word for word in asked.words if not set(word.meant).isdisjoint(name_terms)]
    of_query = sum(word.weight for word in inside) / asked.total
    of_name = min(1.0, len(inside) / max(1, len(set(name_terms))))
    return Match(
        business_id=business_id,
        rank=float(rank),
        cover=float(covered) / asked.total,
        name=of_query * (0.5 + 0.5 * of_name),
        spelling=bool(inside) and all(word.quality < 1 for word in inside),
        category=category,
    )
