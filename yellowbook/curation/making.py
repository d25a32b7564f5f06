"""The one way to the collections of a surface and day; stores nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import structlog
from django.conf import settings

from embeddings.current import current_model
from jobs.errors import JobError
from yellowbook.curation.choosing import Chosen, Titles, choose
from yellowbook.curation.names import GEMINI, NO_ANSWER, REFUSED, UNFIT
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.surfaces import Surface
from yellowbook.curation.themes import Asked, themes_of
from yellowbook.curation.titles.by_model import Described, by_model
from yellowbook.curation.titles.by_template import by_template, tag_labels
from yellowbook.directory.models import Business
from yellowbook.llm import Blocked
from yellowbook.llm import current_model as language_model

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Titled:
    """A collection with its titles."""

    chosen: Chosen
    titles: Titles


@dataclass(slots=True)
class Draft:
    """The collections, and what is stored of how they were made (`CollectionSet`)."""

    collections: list[Titled] = field(default_factory=list)
    model: str = ""
    titles_model: str = ""
    note: str = ""


def asks_model() -> bool:
    """Tell whether the model is asked for titles; else they are from templates."""
    return bool(settings.CURATION_TITLES == GEMINI)


def make(surface: Surface, day: date, parameters: Parameters, *, ask: bool) -> Draft:
    """Choose the collections and find their titles, with `ask` by the model; never fails for want of a title.

    Changes nothing. Never call it inside a transaction.
    """
    asked = Asked(surface=surface, day=day, parameters=parameters)
    size = parameters.businesses_per_collection
    chosen = choose(themes_of(asked), count=parameters.collections_count, size=size)
    draft = Draft(model=current_model())
    given = [each.theme.titles for each in chosen if each.theme.titles is not None]
    untitled = [each for each in chosen if each.theme.titles is None]
    found: list[Titles | None] = [None] * len(untitled)
    if ask and untitled:
        found = _asked(untitled, given, draft)
    rest = [each for each, titles in zip(untitled, found, strict=True) if titles is None]
    taken = [*given, *(titles for titles in found if titles is not None)]
    templates = iter(by_template([each.theme.label for each in rest], taken))
    others = iter([titles or next(templates) for titles in found])
    draft.collections = [Titled(each, each.theme.titles or next(others)) for each in chosen]
    return draft


def _asked(untitled: Sequence[Chosen], given: Sequence[Titles], draft: Draft) -> list[Titles | None]:
    """Ask the model, and note in the draft what came of it."""
    draft.titles_model = language_model()
    nothing: list[Titles | None] = [None] * len(untitled)
    try:
        answer = by_model(_described(untitled))
    except JobError as error:
        log.warning("titles_from_templates", error_class=str(error.error_class), error=error.message)
        draft.note = NO_ANSWER
        return nothing
    if isinstance(answer, Blocked):
        draft.note = REFUSED
        return nothing
    used = {titles.en for titles in given}
    for place, titles in enumerate(answer):
        if titles is None or titles.en in used:
            answer[place], draft.note = None, UNFIT
        else:
            used.add(titles.en)
    return answer


def _described(untitled: Sequence[Chosen]) -> list[Described]:
    every = [pk for each in untitled for pk in each.businesses]
    names: dict[UUID, str] = dict(Business.objects.filter(pk__in=every).values_list("pk", "name"))
    return [
        Described(
            categories=each.theme.label.categories,
            city=each.theme.label.city,
            tags=[tag_labels(tag)[1] for tag in each.theme.label.tags],
            names=[names[pk] for pk in each.businesses if pk in names],
        )
        for each in untitled
    ]
