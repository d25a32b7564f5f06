"""Fixtures of the directory's tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from jobs.models import JobExecution
from yellowbook.directory.models import Business

MakeBusiness = Callable[..., Business]


def values(**changes: Any) -> dict[str, Any]:
    """Return the least that a business needs."""
    return {"name": "Номин", "category": "Ресторан", "address": "Энхтайвны өргөн чөлөө 12", **changes}


def jobs_of(business: Business) -> list[JobExecution]:
    """Return the jobs on a business, oldest first."""
    return list(JobExecution.objects.filter(subject=str(business.pk)).order_by("created_at"))


@pytest.fixture
def make_business() -> MakeBusiness:
    """Save a business; with `jobs=False` without the job that this makes."""

    def make(*, jobs: bool = False, **changes: Any) -> Business:
        business = Business(**values(**changes))
        business.save()
        if not jobs:
            JobExecution.objects.filter(subject=str(business.pk)).delete()
        return business

    return make


@pytest.fixture
def staff(db: None) -> User:
    """A member of the staff."""
    return User.objects.create_user("tsetseg", is_staff=True)


@pytest.fixture
def editor(staff: User) -> APIClient:
    """The API as the staff sees it."""
    client = APIClient()
    client.force_authenticate(staff)
    return client


@pytest.fixture
def visitor(db: None) -> APIClient:
    """The API as everybody sees it."""
    return APIClient()
