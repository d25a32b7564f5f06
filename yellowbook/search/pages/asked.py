"""What a visitor asks of the search page, and the addresses of pages that ask for something else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils.encoding import uri_to_iri
from django.utils.translation import gettext_lazy as _

from yellowbook.directory.text import clean_text, validate_text
from yellowbook.search.filters import Filters
from yellowbook.search.search import LONGEST_QUERY, normalised

#: Pages that can be asked for; what is further down is found by narrowing.
MOST_PAGES = 50


class _Line(forms.CharField):
    """A line of text, cleaned as the directory cleans it."""

    default_validators = [validate_text]

    def to_python(self, value: Any) -> str:
        """Return the cleaned text."""
        return clean_text(super().to_python(value) or "")


class _Form(forms.Form):
    """Checks the parameters; an empty one counts as not given."""

    q = _Line(required=False, max_length=LONGEST_QUERY, label=_("Search"))
    category = _Line(required=False, max_length=100, label=_("Category"))
    city = _Line(required=False, max_length=100, label=_("City"))
    price_level = forms.TypedChoiceField(
        required=False,
        choices=[("", ""), *((str(level), str(level)) for level in range(1, 5))],
        coerce=int,
        empty_value=None,
        label=_("Price level"),
        error_messages={"invalid_choice": _("Give a number from 1 to 4.")},
    )
    tag = _Line(required=False, max_length=40, label=_("Tag"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query, what narrows it, and which page."""

    text: str = ""
    filters: Filters = field(default_factory=Filters)
    page: int = 1

    @property
    def is_query(self) -> bool:
        """Whether something is looked for; otherwise businesses are listed by name."""
        return bool(normalised(self.text))

    def url(self, **changes: Any) -> str:
        """Return the address of the search with some filters changed (None: taken off), on its first page."""
        return replace(self, filters=replace(self.filters, **changes), page=1).address

    def on_page(self, page: int) -> str:
        """Return the address of another page."""
        return replace(self, page=page).address

    @property
    def address(self) -> str:
        """The one address of what is asked: nothing in it that changes nothing, always in the same order.

        With its letters as they are: percent signs would make Cyrillic three times as long.
        """
        given = {"q": self.text, **self.filters.given(), "page": self.page if self.page > 1 else ""}
        query = urlencode({name: value for name, value in given.items() if value != ""})
        return reverse("public:search") + (f"?{uri_to_iri(query)}" if query else "")


class Unreadable(Exception):
    """The parameters make no search; `errors` are messages to show, `text` what the search box had in it."""

    def __init__(self, errors: list[str], text: str) -> None:
        super().__init__(" ".join(errors))
        self.errors, self.text = errors, text


def read(parameters: Mapping[str, Any]) -> Asked:
    """Return what is asked for; raises `Unreadable`. A page that is no number, or out of reach, is the nearest one."""
    form = _Form(parameters)
    if not form.is_valid():
        errors = [f"{form.fields[name].label}: {message}" for name, said in form.errors.items() for message in said]
        raise Unreadable(errors, _shown(parameters.get("q") or ""))
    given = form.cleaned_data
    filters = Filters(**{name: given[name] or None for name in ("category", "city", "price_level", "tag")})
    return Asked(text=given["q"], filters=filters, page=_page(parameters.get("page") or ""))


def _page(text: str) -> int:
    return min(max(int(text[:4]), 1), MOST_PAGES) if text.isascii() and text.isdigit() else 1


def _shown(text: str) -> str:
    """Return a query that was refused as far as a page can show it."""
    return "".join(letter for letter in text[:LONGEST_QUERY] if letter.isprintable())
