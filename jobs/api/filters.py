"""Filters of the lists."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from jobs.errors import ErrorClass
from jobs.kinds import all_kinds
from jobs.models import JobExecution
from jobs.states import Priority, Status


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the list of jobs."""

    status = django_filters.MultipleChoiceFilter(choices=Status.choices)
    kind = django_filters.CharFilter()
    priority = django_filters.ChoiceFilter(choices=[(label, label) for label in Priority.labels], method="by_priority")
    error_class = django_filters.ChoiceFilter(choices=[(each.value, each.value) for each in ErrorClass])
    run_id = django_filters.UUIDFilter(field_name="run_id")
    since = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = JobExecution
        fields: list[str] = []

    def by_priority(self, queryset: QuerySet[JobExecution], name: str, value: str) -> QuerySet[JobExecution]:
        """Keep the jobs of one priority, given by its name."""
        return queryset.filter(priority=Priority.named(value))


def subject_filters() -> dict[str, django_filters.Filter]:
    """Return one filter for each name that a kind gives its subject, e.g. `business_id`."""
    filters: dict[str, django_filters.Filter] = {}
    for name in sorted({kind.subject_name for kind in all_kinds()} - {"subject"}):
        kinds = [kind.name for kind in all_kinds() if kind.subject_name == name]

        def keep(
            queryset: QuerySet[JobExecution], _: str, value: Any, kinds: list[str] = kinds
        ) -> QuerySet[JobExecution]:
            return queryset.filter(subject=str(value), kind__in=kinds)

        filters[name] = django_filters.UUIDFilter(method=keep)
    return filters


def job_filter() -> type[JobFilter]:
    """Return the filters of jobs with those of the installed kinds' subjects."""
    return type("JobFilter", (JobFilter,), subject_filters())
