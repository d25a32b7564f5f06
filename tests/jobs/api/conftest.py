"""Clients of the jobs API."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken
from rest_framework.test import APIClient


@pytest.fixture
def staff(db: None) -> User:
    """A member of the staff."""
    return User.objects.create_user("болд", is_staff=True)


@pytest.fixture
def token(staff: User) -> str:
    """A token of the staff member."""
    made: str = AuthToken.objects.create(staff)[1]
    return made


@pytest.fixture
def api(token: str) -> APIClient:
    """The API as the staff uses it, with a real token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def error_of(response: Any, status: int) -> dict[str, Any]:
    """Return the error of a response after checking that it stands in the one envelope."""
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) <= {"code", "message", "fields"}
    assert body["error"]["code"]
    assert body["error"]["message"]
    error: dict[str, Any] = body["error"]
    return error
