"""Which businesses answer a query, and why: by meaning, by words and by name, in one ranking."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, LiteralString
from uuid import UUID

from django.db import connection

from embeddings.current import current_model
from embeddings.nearest import Near, Vector, nearest, shortlist
from embeddings.query import embed_query
from jobs.arrays import uuid_array
from yellowbook.search.filters import Filters
from yellowbook.search.fusion import K, fuse, with_groups
from yellowbook.search.lexical import Match, by_words, by_words_meanwhile

#: Businesses that one answer holds at most, over all of its pages.
POOL: Final = 100
#: Businesses that meaning names; words name as many as an answer holds. More of them change no answer for the better.
NEAREST: Final = 50
#: Ranks by meaning up to which that is a reason to show, unless the words say more.
CLOSE: Final = 30
#: How much of a query a name has to hold, and the query of the name, for the ranking by name.
NAMED_FROM: Final = 0.6


class Ranking(StrEnum):
    """How an answer was ranked."""

    #: By meaning, words and names.
    FUSED = "fused"
    #: By words and names alone: there was no vector of the query.
    LEXICAL = "lexical"
    #: By meaning alone; for comparison.
    SEMANTIC = "semantic"


class Reason(StrEnum):
    """Why a business is in an answer."""

    NAME = "name"
    #: The name, if a slip of the pen is forgiven.
    SPELLING = "spelling"
    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class Hit:
    """A business in an answer."""

    business_id: UUID
    #: 0 to 1; 1 is the first by every ranking.
    score: float
    why: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """An answer."""

    hits: list[Hit]
    ranking: Ranking


#: What each ranking counts for (`manage.py evaluate_search` shows what comes of it). Words count by how much of the
#: query a business has of them; a name that was asked for by name outranks what is merely like it.
MEANING_WEIGHT, WORDS_WEIGHT, NAME_WEIGHT, CATEGORY_WEIGHT = 1.0, 2.0, 4.0, 2.0
#: The score of what is first by every ranking.
_BEST: Final = (MEANING_WEIGHT + WORDS_WEIGHT + NAME_WEIGHT + CATEGORY_WEIGHT) / (K + 1)
#: Businesses that have a say in which categories are meant.
CATEGORY_DEPTH: Final = 20

_CATEGORIES: LiteralString = "SELECT id, category FROM directory_business WHERE id = ANY(%s::uuid[])"


def rank(text: str, filters: Filters, *, model: str | None = None, using: Ranking = Ranking.FUSED) -> Ranked:
    """Return the up to `POOL` published businesses that answer a query best, by `model` or the one that serves.

    `text` is in one form already (`yellowbook.search.search.normalised`). Without a vector of the query, the answer is
    lexical.
    """
    model = model or current_model()
    vector = None if using is Ranking.LEXICAL else embed_query(text, model=model)
    if vector is None:
        using = Ranking.LEXICAL
    near, matches = _by_both(text, vector, filters, model, using)
    named = sorted((each for each in matches if each.name >= NAMED_FROM), key=lambda each: (-each.name, -each.rank))
    scores = fuse(
        [
            ([each.business_id for each in named], [NAME_WEIGHT] * len(named)),
            ([each.business_id for each in matches], [WORDS_WEIGHT * each.cover for each in matches]),
            ([each.business_id for each in near], [MEANING_WEIGHT] * len(near)),
        ]
    )
    if using is Ranking.FUSED:
        categories = {each.business_id: each.category for each in matches}
        unknown = [each for each in scores if each not in categories]
        categories |= dict.fromkeys(unknown, filters.category) if filters.category else _categories(unknown)
        scores = with_groups(scores, categories, depth=CATEGORY_DEPTH, weight=CATEGORY_WEIGHT)
    why = _reasons(near, matches)
    hits = [Hit(each, round(score / _BEST, 4), why(each)) for each, score in scores.items()]
    return Ranked(hits[:POOL], using)


def _by_both(
    text: str, vector: Vector | None, filters: Filters, model: str, using: Ranking
) -> tuple[Sequence[Near], list[Match]]:
    """Return the nearest by meaning, none without a vector, and what matches by words."""
    if vector is None:
        return [], by_words(text, filters, limit=POOL)
    subjects, facets = filters.businesses(), filters.facets()
    if using is Ranking.SEMANTIC:
        return nearest(vector, subjects, limit=NEAREST, model=model, narrowed=facets), []
    with by_words_meanwhile(text, filters, limit=POOL) as waited_for:
        listed = shortlist(vector, limit=NEAREST, model=model, narrowed=facets)
        matches = waited_for()
    return nearest(vector, subjects, limit=NEAREST, model=model, narrowed=facets, listed=listed), matches


def _categories(ids: Sequence[UUID]) -> dict[UUID, str]:
    with connection.cursor() as cursor:
        cursor.execute(_CATEGORIES, [uuid_array(ids)])
        return dict(cursor.fetchall())


def _reasons(near: Sequence[Near], matches: Sequence[Match]) -> Callable[[UUID], tuple[Reason, ...]]:
    close = {each.business_id for each in near[:CLOSE]}
    by_id = {match.business_id: match for match in matches}

    def why(business_id: UUID) -> tuple[Reason, ...]:
        reasons = []
        match = by_id.get(business_id)
        if match is not None and match.name >= NAMED_FROM:
            reasons.append(Reason.SPELLING if match.spelling else Reason.NAME)
        elif match is not None:
            reasons.append(Reason.WORDS)
        if business_id in close or not reasons:
            reasons.append(Reason.MEANING)
        return tuple(reasons)

    return why
