"""Filters of the list of dead letters.

Their choices come from code, not from a look at every row. A value that is no choice finds nothing: what acts on all
that match a filter must never take a misspelt filter for none.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib.admin import AllValuesFieldListFilter, ChoicesFieldListFilter, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs.errors import ErrorClass
from jobs.kinds import all_kinds
from jobs.models import DeadLetter


class StateFilter(SimpleListFilter):
    """Unresolved, retried or resolved."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the states."""
        return [
            ("unresolved", gettext("unresolved")),
            *((value, str(label)) for value, label in DeadLetter.Resolution.choices),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        """Narrow by how a letter was settled."""
        value = self.value()
        if value is None:
            return queryset
        if value == "unresolved":
            return queryset.filter(resolved_at__isnull=True)
        return queryset.filter(resolution=value, resolved_at__isnull=False)


class ExactFilter(SimpleListFilter):
    """Compares a column, which is named like the parameter."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        """Narrow to the value asked for."""
        value = self.value()
        return queryset if value is None else queryset.filter(**{str(self.parameter_name): value})


class _InWords:
    """Shows what it offers, words of the API, in the reader's language."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Translate what is shown of each choice."""
        for choice in super().choices(changelist):  # type: ignore[misc]
            yield {**choice, "display": gettext(choice["display"])}


class WordFilter(_InWords, ChoicesFieldListFilter):
    """The choices of a column."""


class StoredWordFilter(_InWords, AllValuesFieldListFilter):
    """The words that a column holds."""


class KindFilter(ExactFilter):
    """Kinds that this installation knows."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the kinds, and the one asked for where its letters outlived it."""
        return [(name, name) for name in dict.fromkeys([*(kind.name for kind in all_kinds()), *_asked(self)])]


class ErrorClassFilter(ExactFilter):
    """Failure classes."""

    title = _("error class")
    parameter_name = "error_class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the failure classes."""
        return [(each.value, gettext(each.value)) for each in ErrorClass]


class CauseFilter(ExactFilter):
    """One cause; it is chosen on the page of causes, and shown here so that it can be taken off."""

    title = _("cause")
    parameter_name = "fingerprint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the cause asked for."""
        return [(value, value) for value in _asked(self)]


class RunFilter(SimpleListFilter):
    """One run; it is chosen on the run's page."""

    title = _("run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the run asked for."""
        return [(value, value) for value in _asked(self)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        """Narrow to the letters of its jobs."""
        value = self.value()
        if value is None:
            return queryset
        try:
            return queryset.filter(job__run=UUID(value))
        except ValueError:
            return queryset.none()


def _asked(each: SimpleListFilter) -> list[str]:
    """Return the filter's value, if it has one; without choices Django would not apply the filter at all."""
    value = each.value()
    return [] if value is None else [value]
