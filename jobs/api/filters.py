"""Filters of the lists. An empty one counts as not given, a wrong one is an error: it never means "all"."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend, filterset
from rest_framework.exceptions import ValidationError as SerializerError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from jobs.api.fields import read_moment, read_uuid
from jobs.errors import ErrorClass
from jobs.kinds import all_kinds, subject_names
from jobs.models import JobExecution
from jobs.states import Priority, Status

if TYPE_CHECKING:
    from rest_framework.views import APIView


Jobs = QuerySet[JobExecution]


class _FlagFormField(forms.NullBooleanField):
    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        word = str(value or "").lower()
        if word not in {"", "true", "false"}:
            raise ValidationError("Give true or false.")
        return {"true": True, "false": False}.get(word)


class FlagFilter(django_filters.BooleanFilter):  # type: ignore[misc]
    """`true` or `false`."""

    field_class = _FlagFormField


class _UUIDFormField(forms.UUIDField):
    def to_python(self, value: Any) -> Any:
        try:
            return read_uuid(value) if value else None
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class UUIDFilter(django_filters.UUIDFilter):  # type: ignore[misc]
    """A UUID."""

    field_class = _UUIDFormField


class _MomentFormField(django_filters.fields.IsoDateTimeField):  # type: ignore[misc]
    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        try:
            return read_moment(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    """A moment with its time zone."""

    field_class = _MomentFormField


class _ChoicesFormField(django_filters.fields.MultipleChoiceField):  # type: ignore[misc]
    def to_python(self, value: Any) -> list[str]:
        return [each for each in super().to_python(value) if each]


class ChoicesFilter(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    """Any of several words; given by repeating the parameter."""

    field_class = _ChoicesFormField


class FilterSet(filterset.FilterSet):  # type: ignore[misc]
    """Filters that a view only names, each by the type of its model field."""

    FILTER_DEFAULTS = {
        **filterset.FILTER_FOR_DBFIELD_DEFAULTS,
        models.BooleanField: {"filter_class": FlagFilter},
        models.UUIDField: {"filter_class": UUIDFilter},
        models.DateTimeField: {"filter_class": MomentFilter},
    }


class FilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Filters lists by a view's `filterset_class`, or by `filterset_fields` as strictly."""

    filterset_base = FilterSet


class OneOrder(OrderingFilter):
    """The order of a list: by one of the view's `ordering_fields`, with `-` in front for the other way round."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: "APIView", request: Request
    ) -> list[str]:
        """Return the one field; raises `ValidationError` for any other, and for several."""
        wanted = list(fields)
        if len(wanted) != 1 or wanted[0] not in _orders(view):
            raise SerializerError({self.ordering_param: [f"Choose one of {', '.join(_orders(view))}."]})
        return wanted

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Describe the parameter for OpenAPI."""
        schema = {"type": "string", "enum": _orders(view)}
        return [{"name": self.ordering_param, "in": "query", "description": "The order.", "schema": schema}]


def _orders(view: "APIView") -> list[str]:
    fields: Sequence[str] = getattr(view, "ordering_fields", ())
    return [f"{sign}{field}" for field in fields for sign in ("", "-")]


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the list of jobs."""

    status = ChoicesFilter(choices=Status.choices)
    kind = django_filters.CharFilter()
    priority = django_filters.ChoiceFilter(choices=[(label, label) for label in Priority.labels], method="by_priority")
    error_class = django_filters.ChoiceFilter(choices=[(each.value, each.value) for each in ErrorClass])
    run_id = UUIDFilter(field_name="run_id")
    since = MomentFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = JobExecution
        fields: list[str] = []

    def by_priority(self, queryset: QuerySet[JobExecution], name: str, value: str) -> QuerySet[JobExecution]:
        """Keep the jobs of one priority, given by its name."""
        return queryset.filter(priority=Priority.named(value))


def subject_filters() -> dict[str, django_filters.Filter]:
    """Return one filter for each name that a kind gives its subject, e.g. `business_id`."""
    filters: dict[str, django_filters.Filter] = {}
    for name, is_id in sorted(subject_names().items()):
        kinds = [kind.name for kind in all_kinds() if kind.subject_name == name]

        # Two of them: the schema takes what a filter holds from the type of the value.
        def keep_id(queryset: Jobs, _: str, value: UUID, kinds: list[str] = kinds) -> Jobs:
            return queryset.filter(subject=str(value), kind__in=kinds)

        def keep_text(queryset: Jobs, _: str, value: str, kinds: list[str] = kinds) -> Jobs:
            return queryset.filter(subject=value, kind__in=kinds)

        filters[name] = UUIDFilter(method=keep_id) if is_id else django_filters.CharFilter(method=keep_text)
    return filters


def job_filter() -> type[JobFilter]:
    """Return the filters of jobs with those of the installed kinds' subjects."""
    return type("JobFilter", (JobFilter,), subject_filters())
