"""What people do with their profile. None of it calls a provider: answers are rows, and their text is a job's work."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from embeddings.current import current_model
from jobs.actor import Actor, current_actor
from jobs.enqueue import enqueue
from yellowbook.directory.selectors import published
from yellowbook.recommendations.embed import is_fresh
from yellowbook.recommendations.models import Opinion, TasteProfile
from yellowbook.recommendations.names import EMBED_PROFILE, OWNER
from yellowbook.recommendations.standing import Standing, State, standing_of
from yellowbook.recommendations.text import text_of

#: The answers of the questionnaire, by the names of their fields, with what stands for no answer.
ANSWERS: Final[Mapping[str, Any]] = {"categories": [], "price_levels": [], "cities": [], "occasions": [], "about": ""}
#: Opinions of one user: all of them are read with each request for recommendations.
MOST_OPINIONS: Final = 500
#: States in which a vector is still to be made, and no job is under way.
_NEEDS_JOB: Final = (State.MISSING, State.FAILED)


class TooManyOpinions(Exception):
    """The user has as many as there may be."""


def complete(user: User, answers: Mapping[str, Any]) -> tuple[TasteProfile, bool]:
    """Store the whole questionnaire, and have its text embedded where it is a new one; one transaction.

    What is missing in `answers` is not answered. Returns the profile and whether it is new. Raises `ValidationError`
    when there is nothing that could be embedded; nothing is stored then.
    """
    with transaction.atomic():
        profile, created = _locked().get_or_create(user=user)
        profile.completed_at = timezone.now()
        _write(profile, {**ANSWERS, **answers})
    return profile, created


def change(user: User, answers: Mapping[str, Any]) -> TasteProfile:
    """Store some of the answers. That does not complete a questionnaire that is not completed.

    Raises `TasteProfile.DoesNotExist`, and `ValidationError` as `complete` does.
    """
    with transaction.atomic():
        profile = _locked().get(user=user)
        _write(profile, answers)
    return profile


def see_to(profile: TasteProfile, model: str) -> Standing:
    """Tell where the vector of a profile by `model` stands; where it is neither there nor on its way, make a job.

    Raises `TasteProfile.DoesNotExist` for one that was deleted since it was read.
    """
    standing = standing_of(profile, model)
    if standing.state not in _NEEDS_JOB or standing.is_refused:
        return standing
    with transaction.atomic():
        profile = _locked().get(pk=profile.pk)
        _enqueue(profile)
    return standing_of(profile, model)


def give_opinion(user: User, business_id: UUID, *, liked: bool) -> tuple[Opinion, bool]:
    """Note that a user likes or dislikes a published business; return the opinion, and whether it is the first of it.

    It costs no provider call. Raises `Business.DoesNotExist` and `TooManyOpinions`.
    """
    with transaction.atomic():
        profile, _ = _locked().get_or_create(user=user)
        # Kept from being deleted until the opinion is there.
        business = published().select_for_update(no_key=True).only("pk").get(pk=business_id)
        others = profile.opinions.exclude(business=business)
        if others.count() >= MOST_OPINIONS:
            raise TooManyOpinions
        return profile.opinions.update_or_create(business=business, defaults={"liked": liked})


def withdraw_opinion(user: User, business_id: UUID) -> None:
    """Forget what a user thinks of a business; raises `Opinion.DoesNotExist`."""
    deleted, _ = Opinion.objects.filter(profile__user=user, business_id=business_id).delete()
    if not deleted:
        raise Opinion.DoesNotExist


def delete_profile(user: User) -> None:
    """Delete a profile with its opinions and vector, and call off its job; raises `TasteProfile.DoesNotExist`."""
    with transaction.atomic():
        _locked().get(user=user).delete()


def _locked() -> QuerySet[TasteProfile]:
    """Return profiles that are locked as they are read, against whoever would save or delete them meanwhile."""
    return TasteProfile.objects.select_related("vector").select_for_update(no_key=True, of=("self",))


def _write(profile: TasteProfile, answers: Mapping[str, Any]) -> None:
    for name, answer in answers.items():
        setattr(profile, name, answer)
    profile.text = text_of(profile)
    if profile.completed_at is not None and not profile.text:
        raise ValidationError({"about": "Give a category or an occasion, or say in your own words what you like."})
    profile.save()
    profile.refresh_from_db(fields=["text_hash"])
    if profile.completed_at is not None and not is_fresh(profile, current_model()):
        _enqueue(profile)


def _enqueue(profile: TasteProfile) -> None:
    """Have a profile embedded. The job names nobody."""
    actor = Actor(OWNER, current_actor().source)
    enqueue(EMBED_PROFILE, subject=profile.pk, priority="high", actor=actor)
