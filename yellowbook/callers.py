"""Who makes a request of the API."""

from django.contrib.auth.models import User
from rest_framework.request import Request


def caller(request: Request) -> User:
    """Return who makes a request that needs somebody."""
    assert isinstance(request.user, User)
    return request.user
