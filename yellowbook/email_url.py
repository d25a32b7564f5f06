"""`EMAIL_URL`: the mail server in one line, turned into Django's settings.

    smtp://host:25, smtp+tls://user:password@host:587 (STARTTLS), smtps://user:password@host:465, console://, memory://

`?from=address` names the sender. User and password are percent-encoded, as in any URL.
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

#: Seconds that the mail server may take for each step of the exchange.
TIMEOUT = 10

#: Backend and default port of each scheme.
SCHEMES = {
    "smtp": ("smtp", 25),
    "smtp+tls": ("smtp", 587),
    "smtps": ("smtp", 465),
    "console": ("console", 0),
    "memory": ("locmem", 0),
}

EXPECTED = "smtp://, smtp+tls:// or smtps:// with [user:password@]host[:port][?from=address], or console://"

#: The settings without a mail server: nothing is sent.
OFF: dict[str, Any] = {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}


def parse(url: str) -> dict[str, Any]:
    """Return the settings that `url` stands for. Raises `ValueError`."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
    sender = options.pop("from", "")
    if parts.scheme not in SCHEMES or options or parts.path.strip("/") or (sender and "@" not in sender):
        raise ValueError
    backend, port = SCHEMES[parts.scheme]
    if bool(parts.hostname) != (backend == "smtp"):
        raise ValueError
    user = unquote(parts.username or "")
    return {
        "EMAIL_BACKEND": f"django.core.mail.backends.{backend}.EmailBackend",
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": parts.port or port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT,
        "DEFAULT_FROM_EMAIL": sender or (user if "@" in user else f"yellowbook@{parts.hostname or 'localhost'}"),
    }
