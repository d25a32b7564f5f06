"""Writing the index: the words of businesses, in the transaction that changes them; the list of all words, after it."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final
from uuid import UUID
from zlib import crc32

from django.db import connection, transaction

from yellowbook.directory.descriptions import Description, descriptions
from yellowbook.directory.models import Business
from yellowbook.directory.selectors import published
from yellowbook.search.words import slips_of, terms_of

#: Fields of a business that decide where a search finds it.
FIELDS: Final = frozenset({"name", "category", "description", "address", "city", "price_level", "status", "tags"})
_COLUMNS: Final = FIELDS - {"tags"}
#: The weight of each field's words, and how many of them count: the rest of a long description tells nothing new.
WEIGHTS: Final = {"name": "A", "category": "B", "city": "C", "address": "C", "description": "D"}
#: The weight of what features tell besides.
TOLD_WEIGHT: Final = "D"
WORDS_OF_FIELD: Final = 300
#: Weights of words that are looked for with slips of the pen.
FUZZY_WEIGHTS: Final = frozenset("ABC")
#: Terms whose hashes are remembered, a kilobyte each.
HASHED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Indexed:
    """The words of a business, ready to be written."""

    business: Business
    tags: tuple[str, ...]
    vector: str
    name_terms: list[str]
    #: Terms, and whether they are looked for with slips of the pen.
    terms: dict[str, bool]


def index(ids: Sequence[UUID], *, created: bool = False) -> None:
    """Bring the documents of the businesses up to date, in the transaction under way.

    Who is not published, or gone, has none. Of those just `created`, no feature tells anything yet.
    """
    known = {business.pk: business for business in published().filter(pk__in=ids).only(*_COLUMNS, "text_hash")}
    told = {} if created else descriptions(known.keys())
    indexed = [_indexed(business, told.get(business.pk, Description())) for business in known.values()]
    _write(indexed, [business_id for business_id in ids if business_id not in known])
    terms: dict[str, bool] = {}
    for each in indexed:
        for term, fuzzy in each.terms.items():
            terms[term] = terms.get(term, False) or fuzzy
    # By itself, in one statement and in one order: inside the transaction, two of them could wait for each other.
    transaction.on_commit(lambda: add_terms(terms), robust=True)


def add_terms(terms: dict[str, bool]) -> None:
    """Add words to the list of all words; what is lost here is found by `yellowbook.search.refresh`."""
    if not terms:
        return
    names = sorted(terms)
    slips = [_array(hashes_of(name)) if terms[name] else "{}" for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_TERMS, {"terms": names, "slips": slips})


@lru_cache(maxsize=HASHED)
def hashes_of(term: str) -> tuple[int, ...]:
    """Return the hashes of the keys of a term (`words.slips_of`), as PostgreSQL's 32-bit integers."""
    return tuple(crc32(key.encode()) - 2**31 for key in slips_of(term))


def _indexed(business: Business, told: Description) -> Indexed:
    places: dict[str, dict[str, int]] = {}
    terms: dict[str, bool] = {}
    name_terms: list[str] = []
    place = 0
    texts = [(field, weight, getattr(business, field)) for field, weight in WEIGHTS.items()]
    for field, weight, text in [*texts, ("", TOLD_WEIGHT, told.words)]:
        for term, stem in islice(terms_of(text), WORDS_OF_FIELD):
            place += 1
            if field == "name":
                name_terms.append(term)
            for each in {term, stem}:
                # Of one weight, the first place is enough.
                places.setdefault(each, {}).setdefault(weight, place)
                terms[each] = terms.get(each, False) or (weight in FUZZY_WEIGHTS and each == term)
    vector = " ".join(
        f"'{term}':" + ",".join(f"{place}{weight}" for weight, place in of_term.items())
        for term, of_term in places.items()
    )
    return Indexed(business, told.tags, vector, name_terms, terms)


#: The version (`yellowbook.search.version`) moves in the same statement.
_WRITE = """
WITH gone AS (
    DELETE FROM search_document WHERE business_id = ANY(%(gone)s)
), noted AS (
    INSERT INTO search_change (changes) VALUES (1)
)
INSERT INTO search_document AS document (business_id, words, name_terms, category, city, price_level, tags, text_hash)
SELECT new.business_id, new.words::tsvector, new.name_terms::text[], new.category, new.city, new.price_level,
       ARRAY(SELECT jsonb_array_elements_text(new.tags::jsonb)), new.text_hash
  FROM unnest(%(ids)s::uuid[], %(words)s::text[], %(name_terms)s::text[], %(category)s::text[], %(city)s::text[],
              %(price_level)s::smallint[], %(tags)s::text[], %(text_hash)s::text[])
       AS new (business_id, words, name_terms, category, city, price_level, tags, text_hash)
    ON CONFLICT (business_id) DO UPDATE
   SET words = excluded.words, name_terms = excluded.name_terms, category = excluded.category, city = excluded.city,
       price_level = excluded.price_level, tags = excluded.tags, text_hash = excluded.text_hash
"""

#: Only what is new is written, in one order, so that nobody waits for each other.
_ADD_TERMS = """
INSERT INTO search_term AS term (term, documents, slips)
SELECT new.term, 1, new.slips::int[]
  FROM unnest(%(terms)s::text[], %(slips)s::text[]) AS new (term, slips)
  LEFT JOIN search_term AS known ON known.term = new.term
 WHERE known.term IS NULL OR (known.slips = '{}' AND new.slips <> '{}')
 ORDER BY new.term
    ON CONFLICT (term) DO UPDATE SET slips = excluded.slips WHERE term.slips = '{}'
"""


def _write(indexed: Iterable[Indexed], gone: Collection[UUID]) -> None:
    rows = sorted(indexed, key=lambda each: each.business.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "gone": list(gone),
                "ids": [each.business.pk for each in rows],
                "words": [each.vector for each in rows],
                "name_terms": [_array(each.name_terms) for each in rows],
                "category": [each.business.category for each in rows],
                "city": [each.business.city for each in rows],
                "price_level": [each.business.price_level for each in rows],
                "tags": [json.dumps(each.tags) for each in rows],
                "text_hash": [each.business.text_hash for each in rows],
            },
        )


def _array(values: Iterable[Any]) -> str:
    """Return PostgreSQL's spelling of an array of plain words or numbers."""
    return "{" + ",".join(map(str, values)) + "}"
