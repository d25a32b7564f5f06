"""The rule against listing a business twice: other ones with nearly the same text, in one city or with one phone."""

import re
from typing import Final

import numpy as np
from django.db.models import Q, QuerySet
from pgvector import HalfVector

from embeddings.current import current_model
from embeddings.folding import folded
from embeddings.models import Embedding
from embeddings.nearest import Vector, nearest
from yellowbook.catalogue.quality.listing import Candidate
from yellowbook.catalogue.quality.registry import rule
from yellowbook.catalogue.quality.verdict import Decision
from yellowbook.directory.models import Business, BusinessStatus

#: Two texts nearer than this are the same but for details; the cosine of their vectors by the serving model.
SAME_TEXT: Final = 0.97
#: Neighbours that are looked at: more branches of one chain are not told from a duplicate.
LOOKED_AT: Final = 50
#: The last digits of a phone number that tell it from others: Mongolian ones have 8 after the country's code.
PHONE_DIGITS: Final = 8

_APART = re.compile(r"[,;/|\n]|\s{2,}")


@rule(Decision.FLAGGED, confidence=0.9, beyond_listing=True)
def duplicate(candidate: Candidate) -> str | None:
    """Another published or waiting business has nearly the same text, and the same city or phone."""
    if not _comparable(candidate):
        return None
    vector = _vector(candidate)
    if vector is None:
        return None
    # Nobody waits for it: a worker need not hold the sketches that a search process does.
    near = nearest(vector, _others(candidate), limit=LOOKED_AT, exact=True)
    same = {found.business_id: found.cosine for found in near if found.cosine > SAME_TEXT}
    others = Business.objects.in_bulk(list(same))
    for business_id, cosine in same.items():
        other = others.get(business_id)
        shared = other and _shared(candidate, other)
        if other and shared:
            return f"It looks like {other.name!r} ({other.pk}), with the same {shared}: similarity {cosine:.2f}."
    return None


def not_compared(candidate: Candidate) -> str | None:
    """Say that the rule could not be applied, where it might have found something."""
    if not _comparable(candidate) or _vector(candidate) is not None:
        return None
    city, phone = candidate.listing.city.strip(), candidate.listing.phone.strip()
    alike = Q(city__iexact=city) if city else Q()
    if phone:
        alike |= Q(phone=phone)
    if not _others(candidate).filter(alike).exists():
        return None
    return "It was not compared with other businesses: there is no vector of its text yet."


def _others(candidate: Candidate) -> QuerySet[Business]:
    seen = (BusinessStatus.PUBLISHED, BusinessStatus.PENDING)
    return Business.objects.filter(status__in=seen).exclude(pk=candidate.business_id)


def _comparable(candidate: Candidate) -> bool:
    return bool(_place(candidate.listing.city) or _numbers(candidate.listing.phone))


def _vector(candidate: Candidate) -> Vector | None:
    """Return the vector of the candidate's present text, of shape (768,) and norm 1."""
    stored = Embedding.objects.filter(
        business_id=candidate.business_id, model=current_model(), text_hash=candidate.text_hash
    )
    found = stored.values_list("vector", flat=True).first()
    return None if found is None else np.asarray(HalfVector(found).to_list(), dtype=np.float32)


def _shared(candidate: Candidate, other: Business) -> str | None:
    """Return what both have: `city`, `phone` or `city and phone`."""
    city = _place(candidate.listing.city) and _place(candidate.listing.city) == _place(other.city)
    phone = _numbers(candidate.listing.phone) & _numbers(other.phone)
    return " and ".join(name for name, same in (("city", city), ("phone", phone)) if same) or None


def _place(city: str) -> str:
    """Return a city's name in one spelling of both scripts."""
    return " ".join(folded(city).split())


def _numbers(phone: str) -> set[str]:
    """Return the phone numbers of a field that may hold several, by their last digits."""
    digits = ("".join(filter(str.isdigit, part)) for part in _APART.split(phone))
    return {each[-PHONE_DIGITS:] for each in digits if len(each) >= 6}
