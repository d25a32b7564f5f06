"""Reading profiles, and what a questionnaire may ask."""

from django.contrib.auth.models import User

from yellowbook.directory.selectors import published
from yellowbook.recommendations.models import TasteProfile


def profile_of(user: User) -> TasteProfile:
    """Return the profile of a user; raises `TasteProfile.DoesNotExist`."""
    return TasteProfile.objects.select_related("vector").get(user=user)


def categories() -> list[str]:
    """Return the categories of published businesses, in order."""
    return _values("category")


def cities() -> list[str]:
    """Return the cities of published businesses, in order."""
    return _values("city")


def unknown(field: str, values: list[str]) -> list[str]:
    """Return those of some categories or cities (`field` says which) that no published business has."""
    known = set(published().filter(**{f"{field}__in": values}).values_list(field, flat=True).distinct())
    return [value for value in values if value not in known]


def _values(field: str) -> list[str]:
    found = published().exclude(**{field: ""}).order_by(field).values_list(field, flat=True)
    return list(found.distinct())
