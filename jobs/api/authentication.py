"""Who calls the API: a session, or a token in the `Authorization` header."""

import re
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

#: `Bearer` is the standard's word (RFC 6750), `Token` Django REST framework's.
SCHEMES = frozenset({b"bearer", b"token"})

_TOKEN = re.compile(rb"[0-9A-Za-z_\-]{8,128}")


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc]
    """Hashed, revocable tokens (django-rest-knox) as `Authorization: Bearer <token>` or `Token <token>`."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, Any] | None:
        """Return the user and the token; None when the header is not ours. Raises `AuthenticationFailed`."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() not in SCHEMES:
            return None
        if len(words) != 2 or not _TOKEN.fullmatch(words[1]):
            raise AuthenticationFailed("Send the header as: Authorization: Bearer <token>.")
        found: tuple[AbstractBaseUser, Any] = self.authenticate_credentials(words[1])
        return found

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the tokens in the OpenAPI schema."""

    target_class = BearerAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme object."""
        scheme: dict[str, Any] = build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Bearer")  # noqa: S106
        return scheme
