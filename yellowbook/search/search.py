"""Searching: a query and filters in, businesses out. Answers are kept until what they would find changes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from jobs.shared import shared
from yellowbook.directory.models import Business
from yellowbook.directory.selectors import published_by_id
from yellowbook.directory.text import clean_text
from yellowbook.search.filters import Filters
from yellowbook.search.rank import Hit, Ranked, Ranking, Reason, rank
from yellowbook.search.version import serving

#: Longest query, in characters.
LONGEST_QUERY = 300


@dataclass(frozen=True, slots=True)
class Result:
    """A business that was found."""

    business: Business
    #: 0 to 1; None where nothing was looked for and all are alike.
    score: float | None
    why: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found: a page of it, and how many there are on all pages."""

    results: list[Result]
    total: int
    #: Every business of the answer, the best first.
    hits: Sequence[Hit]
    ranking: Ranking
    cached: bool
    #: Milliseconds.
    took: float


def normalised(text: str) -> str:
    """Return the form in which queries are the same that ask for the same."""
    return " ".join(clean_text(text).casefold().split())


def search(text: str, filters: Filters, *, limit: int = 10, offset: int = 0) -> Answer:
    """Return the published businesses that answer a query best, from `offset` on.

    What was deleted or unpublished a moment ago is not among them, whatever was kept. Raises nothing that Redis or the
    provider could cause: without Redis it takes longer, without the provider the answer is lexical.
    """
    started = time.perf_counter()
    query = normalised(text)
    ranked, cached = _ranked(query, filters)
    # Whoever was unpublished since the answer was kept would leave a gap: the page is filled from behind.
    visible = _visible(ranked.hits, offset + limit) if ranked.hits else {}
    shown = [hit for hit in ranked.hits if hit.business_id in visible][offset : offset + limit]
    results = [Result(visible[hit.business_id], hit.score, hit.why) for hit in shown]
    took = (time.perf_counter() - started) * 1000
    return Answer(results, len(ranked.hits), ranked.hits, ranked.ranking, cached, round(took, 2))


def _visible(hits: Sequence[Hit], wanted: int) -> dict[UUID, Business]:
    """Return the first `wanted` of the businesses that are still published, by id."""
    found: dict[UUID, Business] = {}
    rest = list(hits)
    while rest and len(found) < wanted:
        some, rest = rest[: wanted - len(found)], rest[wanted - len(found) :]
        found |= published_by_id([hit.business_id for hit in some])
    return found


def _ranked(query: str, filters: Filters) -> tuple[Ranked, bool]:
    """Return the ranking of a query and whether it was kept from before; one that had to do without a vector is not."""
    model, version = serving()
    key = _key(query, filters, model, version)
    kept = shared.get(key)
    if kept is not None:
        return _read(kept), True
    ranked = rank(query, filters, model=model)
    if ranked.ranking is Ranking.FUSED:
        shared.put(key, _written(ranked), seconds=settings.SEARCH_CACHE)
    return ranked, False


def _key(query: str, filters: Filters, model: str, version: str) -> str:
    # Two servers may share a Redis, and have the same version.
    server = [connection.settings_dict[name] for name in ("HOST", "PORT")]
    asked = orjson.dumps([server, query, filters.given(), model, version], option=orjson.OPT_SORT_KEYS)
    return f"search:{sha256(asked).hexdigest()}"


def _written(ranked: Ranked) -> bytes:
    return orjson.dumps([ranked.ranking, [[hit.business_id, hit.score, hit.why] for hit in ranked.hits]])


def _read(kept: bytes) -> Ranked:
    ranking, hits = orjson.loads(kept)
    return Ranked([_hit(*each) for each in hits], Ranking(ranking))


def _hit(business_id: str, score: float, why: Sequence[Any]) -> Hit:
    return Hit(UUID(business_id), score, tuple(Reason(each) for each in why))
