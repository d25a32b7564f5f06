"""Typed readers of environment variables that fail loudly.

A wrong value stops the process at start with the variable's name, its value (unless it is a secret) and what was
expected. Every variable is read once, in `yellowbook.settings`.
"""

import base64
import os
from collections.abc import Callable, Mapping
from datetime import time
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from yellowbook import email_url

T = TypeVar("T")

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})

#: Number of points of P-256 (FIPS 186): private keys are below it.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Env:
    """Reads settings from a mapping, by default the process environment; remembers what it was asked for."""

    def __init__(self, source: Mapping[str, str] | None = None) -> None:
        self.source = os.environ if source is None else source
        self.known: dict[str, str] = {}

    def _read(self, name: str, default: T, convert: Callable[[str], T], expected: str, *, secret: bool = False) -> T:
        self.known[name] = expected
        raw = self.source.get(name, "").strip()
        if not raw:
            return default
        try:
            return convert(raw)
        except ValueError:
            shown = "(secret)" if secret else repr(raw)
            raise ImproperlyConfigured(f"{name}={shown} is not valid: expected {expected}.") from None

    def text(self, name: str, default: str = "", *, secret: bool = False) -> str:
        """Any text; surrounding white space is removed and an empty value counts as unset."""
        return self._read(name, default, str, "a text", secret=secret)

    def flag(self, name: str, default: bool) -> bool:
        """A switch: 1, true, yes, on or 0, false, no, off."""

        def convert(raw: str) -> bool:
            if raw.lower() in TRUE:
                return True
            if raw.lower() in FALSE:
                return False
            raise ValueError

        return self._read(name, default, convert, "one of 1, true, yes, on, 0, false, no, off")

    def integer(self, name: str, default: int, *, at_least: int = 0, at_most: int | None = None) -> int:
        """A whole number between two bounds, both included."""

        def convert(raw: str) -> int:
            value = int(raw)
            if value < at_least or (at_most is not None and value > at_most):
                raise ValueError
            return value

        top = "" if at_most is None else f" and at most {at_most}"
        return self._read(name, default, convert, f"a whole number of at least {at_least}{top}")

    def amount(self, name: str, default: float) -> float:
        """A number that is not negative."""

        def convert(raw: str) -> float:
            value = float(raw)
            if not 0 <= value < float("inf"):
                raise ValueError
            return value

        return self._read(name, default, convert, "a number of at least 0")

    def seconds(self, name: str, default: float, *, at_least: float = 0.001) -> float:
        """A duration in seconds."""

        def convert(raw: str) -> float:
            value = float(raw)
            if not at_least <= value < float("inf"):
                raise ValueError
            return value

        return self._read(name, default, convert, f"a number of seconds of at least {at_least:g}")

    def time_of_day(self, name: str, default: time) -> time:
        """An hour and a minute of 24 hours, `HH:MM`."""

        def convert(raw: str) -> time:
            hour, colon, minute = raw.partition(":")
            if not (colon and len(hour) == len(minute) == 2 and (hour + minute).isascii()):
                raise ValueError
            return time(int(hour), int(minute))

        return self._read(name, default, convert, "a time of day, from 00:00 to 23:59")

    def share(self, name: str, default: float) -> float:
        """A part of a whole, from 0 to below 1."""

        def convert(raw: str) -> float:
            value = float(raw)
            if not 0 <= value < 1:
                raise ValueError
            return value

        return self._read(name, default, convert, "a number from 0 to below 1")

    def choice(self, name: str, default: str, choices: frozenset[str]) -> str:
        """One of a closed set of words."""

        def convert(raw: str) -> str:
            if raw not in choices:
                raise ValueError
            return raw

        return self._read(name, default, convert, "one of " + ", ".join(sorted(choices)))

    def url(self, name: str, default: str = "", *, schemes: frozenset[str]) -> str:
        """An absolute URL with one of the given schemes. Treated as a secret: it may carry a password."""

        def convert(raw: str) -> str:
            if urlsplit(raw).scheme not in schemes:
                raise ValueError
            return raw

        expected = "a URL that starts with " + " or ".join(f"{scheme}://" for scheme in sorted(schemes))
        return self._read(name, default, convert, expected, secret=True)

    def redis_url(self, default: str = "") -> str:
        """`REDIS_URL`, or the URL made of `REDIS_HOST`, `REDIS_PORT` and `REDIS_PASSWORD`."""
        url = self.url("REDIS_URL", schemes=frozenset({"redis", "rediss", "unix"}))
        host = self.text("REDIS_HOST")
        port = self.integer("REDIS_PORT", 6379, at_least=1, at_most=65535)
        password = self.text("REDIS_PASSWORD", secret=True)
        if url or not host:
            return url or default
        credentials = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{credentials}{host}:{port}/0"

    def words(self, name: str, default: list[str]) -> list[str]:
        """A comma-separated list; empty parts are dropped."""
        return self._read(
            name, default, lambda raw: [part.strip() for part in raw.split(",") if part.strip()], "a list with commas"
        )

    def addresses(self, name: str) -> list[str]:
        """Email addresses, with commas."""

        def convert(raw: str) -> list[str]:
            found = [part.strip() for part in raw.split(",") if part.strip()]
            try:
                for each in found:
                    validate_email(each)
            except ValidationError:
                raise ValueError from None
            return found

        return self._read(name, [], convert, "email addresses with commas")

    def email_url(self, name: str) -> dict[str, Any]:
        """A mail server as a URL; returns Django's settings for it. A secret, for it carries a password."""
        return self._read(name, email_url.OFF, email_url.parse, email_url.EXPECTED, secret=True)

    def webhook_secret(self, name: str) -> str:
        """A key in the form of standardwebhooks.com: `whsec_` (which may be missing) and base64 of 24 to 64 bytes."""

        def convert(raw: str) -> str:
            if not 24 <= len(base64.b64decode(raw.removeprefix("whsec_"), validate=True)) <= 64:
                raise ValueError
            return raw

        return self._read(name, "", convert, "whsec_ and the base64 of 24 to 64 random bytes", secret=True)

    def vapid_key(self, name: str) -> str:
        """A private key of P-256 as 32 bytes in base64url, as browsers' push services want it (RFC 8292)."""

        def convert(raw: str) -> str:
            key = base64.b64decode(raw.rstrip("=") + "=" * (-len(raw.rstrip("=")) % 4), altchars=b"-_", validate=True)
            if len(key) != 32 or not 0 < int.from_bytes(key) < P256_ORDER:
                raise ValueError
            return raw

        return self._read(name, "", convert, "the base64url of a private key of P-256, 32 bytes", secret=True)
