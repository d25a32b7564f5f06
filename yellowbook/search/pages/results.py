"""A page of businesses: what a search has found, or all that fit the filters, by name."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from yellowbook.directory.descriptions import Description, descriptions
from yellowbook.directory.models import Business
from yellowbook.search.pages.asked import MOST_PAGES, Asked
from yellowbook.search.pages.contact import Way, phones
from yellowbook.search.pages.counts import Counts, counts, counts_of
from yellowbook.search.pages.marking import found_words, marked, meant_by, snippet
from yellowbook.search.rank import POOL, Ranking, Reason
from yellowbook.search.search import search

#: Businesses on a page.
PAGE: Final = 20
#: Words that a reason names.
WORDS_NAMED: Final = 3
#: What a person may have found a business by.
_FIELDS: Final = ("name", "category", "city", "address", "description")


@dataclass(frozen=True, slots=True)
class Entry:
    """A business on the page; texts are HTML, with the words that were found marked."""

    business: Business
    name: SafeString
    category: SafeString
    place: SafeString
    #: Of the description where that has words of the query, else the summary, if there is one.
    snippet: SafeString
    phones: list[Way]
    why: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown of an answer."""

    entries: list[Entry]
    #: Of all pages.
    total: int
    #: Whether there may be more than `total`, which were not looked for.
    capped: bool
    counts: Counts
    number: int
    last: int
    #: Whether words alone decided, since there was no vector of the query.
    by_words_only: bool


def page_of(asked: Asked) -> Page:
    """Return the page that is asked for; one beyond the last has no entries."""
    return _found(asked) if asked.is_query else _listed(asked)


def _found(asked: Asked) -> Page:
    answer = search(asked.text, asked.filters, limit=PAGE, offset=(asked.page - 1) * PAGE)
    terms = meant_by(asked.text)
    told = descriptions([result.business.pk for result in answer.results])
    return Page(
        entries=[_entry(result.business, told, terms, result.why) for result in answer.results],
        total=answer.total,
        capped=answer.total >= POOL,
        counts=counts_of([hit.business_id for hit in answer.hits]),
        number=asked.page,
        last=max(1, -(-answer.total // PAGE)),
        by_words_only=answer.ranking is Ranking.LEXICAL,
    )


def _listed(asked: Asked) -> Page:
    start = (asked.page - 1) * PAGE
    businesses = list(asked.filters.businesses().order_by("name", "pk")[start : start + PAGE])
    told = descriptions([business.pk for business in businesses])
    counted = counts(asked.filters)
    return Page(
        entries=[_entry(business, told, frozenset(), ()) for business in businesses],
        total=counted.total,
        capped=False,
        counts=counted,
        number=asked.page,
        last=min(max(1, -(-counted.total // PAGE)), MOST_PAGES),
        by_words_only=False,
    )


def _entry(business: Business, told: Mapping[UUID, Description], terms: Set[str], why: tuple[Reason, ...]) -> Entry:
    summary = told[business.pk].summary if business.pk in told else ""
    shows_description = not summary or found_words(business.description, terms)
    return Entry(
        business=business,
        name=marked(business.name, terms),
        category=marked(business.category, terms),
        place=marked(", ".join(part for part in (business.address, business.city) if part), terms),
        snippet=snippet(business.description if shows_description else summary, terms),
        phones=phones(business),
        why=[_REASONS[reason](business, terms) for reason in why],
    )


def _by_spelling(business: Business, terms: Set[str]) -> str:
    words = found_words(business.name, terms)[:WORDS_NAMED]
    return _("Spelling close to “%(words)s”") % {"words": " ".join(words)} if words else _("Spelling close to its name")


def _by_words(business: Business, terms: Set[str]) -> str:
    words = {word.casefold(): word for field in _FIELDS for word in found_words(getattr(business, field), terms)}
    return _("Words: %(words)s") % {"words": ", ".join([*words.values()][:WORDS_NAMED])} if words else _("Its words")


_REASONS: Final[dict[Reason, Callable[[Business, Set[str]], str]]] = {
    Reason.NAME: lambda *_of: pgettext("why a business was found", "Its name"),
    Reason.SPELLING: _by_spelling,
    Reason.WORDS: _by_words,
    Reason.MEANING: lambda *_of: pgettext("why a business was found", "About the same"),
}
