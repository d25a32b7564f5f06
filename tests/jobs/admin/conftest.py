"""People who use the admin of dead letters."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

MakePerson = Callable[..., Client]


@pytest.fixture
def person(db: None) -> MakePerson:
    """Make a member of the staff with the permissions named, logged in."""

    def make(name: str, *permissions: str, enforce_csrf_checks: bool = False) -> Client:
        user = User.objects.create_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client(enforce_csrf_checks=enforce_csrf_checks)
        client.force_login(user)
        return client

    return make


@pytest.fixture
def operator(person: MakePerson) -> Client:
    """Somebody who may see and settle dead letters."""
    return person("болд", "view_deadletter", "retry_job", "resolve_deadletter")


@pytest.fixture
def viewer(person: MakePerson) -> Client:
    """Somebody who may only see dead letters."""
    return person("viewer", "view_deadletter")
