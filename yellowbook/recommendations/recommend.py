"""Recommendations: the nearest published businesses, scored by facets, not all alike, each with its reasons.

They are computed when they are asked for, from vectors that are there already: so they follow likes, answers, texts and
publication at once, and no provider is waited for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from embeddings.blocks import Block, as_ids, as_uuids, vectors_of
from embeddings.current import current_model, similarity_floor
from embeddings.nearest import nearest
from yellowbook.directory.descriptions import Description, descriptions
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.selectors import published, published_by_id
from yellowbook.recommendations.diversity import diverse
from yellowbook.recommendations.facets import READ, Facet, Traits, Wishes, bonus, matches
from yellowbook.recommendations.models import TasteProfile, TasteVector
from yellowbook.recommendations.reasons import Code, Reason
from yellowbook.recommendations.services import see_to
from yellowbook.recommendations.standing import Standing, State, standing_of
from yellowbook.recommendations.taste import moved

#: Nearest businesses that are looked at, for ten that are shown.
CANDIDATES: Final = 100

Vectors = NDArray[np.float32]


class NotCompleted(Exception):
    """The user has not completed the questionnaire."""


@dataclass(frozen=True, slots=True)
class Recommended:
    """A business for somebody."""

    business: Business
    #: `similarity`, and what matching facets add to it.
    score: float
    #: Cosine of the angle between its vector and the taste's, -1 to 1.
    similarity: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is for somebody."""

    #: Of the vector of the present answers. While it is being made, an earlier one serves.
    standing: Standing
    #: In the order in which they are to be shown; None: there is no vector yet.
    results: list[Recommended] | None


@dataclass(frozen=True, slots=True)
class Taste:
    """Where a user is, among vectors."""

    answers: Vectors
    moved: Vectors
    #: Names of published businesses that the user likes, and their vectors, of shape (n, 768).
    liked: Sequence[str]
    liked_vectors: Vectors


def recommend(profile: TasteProfile, *, limit: int, look_only: bool = False) -> Answer:
    """Return up to `limit` businesses for a user; one without a vector of the present answers gets a job for it.

    With `look_only` nothing is written. Raises `NotCompleted`, and `TasteProfile.DoesNotExist` as `see_to` does.
    """
    model = current_model()
    standing = standing_of(profile, model) if look_only else see_to(profile, model)
    if standing.state is State.INCOMPLETE:
        raise NotCompleted
    stored = TasteVector.objects.filter(profile=profile, model=model).first()
    if stored is None:
        return Answer(standing, None)
    return Answer(standing, _ranked(profile, HalfVector(stored.vector).to_numpy().astype(np.float32), model, limit))


def _ranked(profile: TasteProfile, answers: Vectors, model: str, limit: int) -> list[Recommended]:
    taste = _taste(profile, answers, model)
    known = profile.opinions.values("business")
    near = nearest(
        taste.moved,
        published().exclude(pk__in=known),
        limit=CANDIDATES,
        model=model,
        narrowed={"status": BusinessStatus.PUBLISHED.value},
    )
    businesses = published_by_id([each.business_id for each in near])
    block = vectors_of(as_ids([each.business_id for each in near]), model=model)
    vectors = _by_id(block)
    # Whatever was unpublished or deleted since the first of these statements is left out.
    there = [each for each in near if each.business_id in businesses and each.business_id in vectors]
    if not there:
        return []
    matrix = np.stack([vectors[each.business_id] for each in there])
    found = _matches(profile, [businesses[each.business_id] for each in there])
    scores = np.array([each.cosine + bonus(facets) for each, facets in zip(there, found, strict=True)])
    floor = similarity_floor(model)
    return [
        Recommended(
            businesses[there[place].business_id],
            float(scores[place]),
            there[place].cosine,
            _reasons(taste, matrix[place], found[place], floor),
        )
        for place in diverse(scores, matrix, limit=limit)
    ]


def _taste(profile: TasteProfile, answers: Vectors, model: str) -> Taste:
    """Read opinions of published businesses, and move the vector of the answers by them."""
    rows = profile.opinions.filter(business__status=BusinessStatus.PUBLISHED).order_by("-created_at", "pk")
    opinions = {pk: (name, liked) for pk, name, liked in rows.values_list("business", "business__name", "liked")}
    vectors = _by_id(vectors_of(as_ids(list(opinions)), model=model)) if opinions else {}
    sides: dict[bool, list[UUID]] = {
        side: [pk for pk, (_, liked) in opinions.items() if liked is side and pk in vectors] for side in (True, False)
    }
    liked, disliked = (_stacked([vectors[pk] for pk in sides[side]]) for side in (True, False))
    return Taste(answers, moved(answers, liked, disliked), [opinions[pk][0] for pk in sides[True]], liked)


def _matches(profile: TasteProfile, businesses: Sequence[Business]) -> list[dict[Facet, str]]:
    """Return what of each business matches the answers."""
    wishes = Wishes(
        categories=profile.categories,
        cities=profile.cities,
        price_levels=profile.price_levels,
        occasions=profile.occasions,
    )
    told = descriptions([business.pk for business in businesses]) if wishes.occasions else {}
    return [matches(wishes, _traits(business, told.get(business.pk))) for business in businesses]


def _traits(business: Business, told: Description | None) -> Traits:
    texts = (business.name, business.category, business.description[:READ], told.words if told else "")
    return Traits(
        category=business.category,
        city=business.city,
        price_level=business.price_level,
        words="\n".join(texts),
    )


def _reasons(taste: Taste, vector: Vectors, found: dict[Facet, str], floor: float) -> tuple[Reason, ...]:
    """Return what contributed; similarities below `floor` say nothing, unless there is nothing else to say."""
    by_answers = float(taste.answers @ vector)
    reasons = []
    if taste.liked:
        cosines = taste.liked_vectors @ vector
        nearest_liked = int(np.argmax(cosines))
        if cosines[nearest_liked] >= max(floor, by_answers):
            reasons.append(Reason(Code.LIKED, taste.liked[nearest_liked]))
    reasons += [Reason(Code(facet), value) for facet, value in found.items()]
    if by_answers >= floor or not reasons:
        reasons.append(Reason(Code.ANSWERS))
    return tuple(reasons)


def _by_id(block: Block) -> dict[UUID, Vectors]:
    return dict(zip(as_uuids(block.ids), block.vectors.astype(np.float32), strict=True))


def _stacked(vectors: list[Any]) -> Vectors:
    return np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
