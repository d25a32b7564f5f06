"""`EMAIL_URL`, `ALERT_EMAIL` and `ALERT_WEBHOOK_SECRET`: right ones are understood, wrong ones stop the start."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from yellowbook import email_url
from yellowbook.env import Env

KEY = "whsec_" + "a" * 32


def read(**variables: str) -> Env:
    return Env(variables)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.mn", {"EMAIL_HOST": "mail.example.mn", "EMAIL_PORT": 25, "EMAIL_USE_TLS": False}),
        (
            "smtp+tls://bot%40example.mn:p%40ss%2F@mail.example.mn",
            {
                "EMAIL_PORT": 587,
                "EMAIL_USE_TLS": True,
                "EMAIL_USE_SSL": False,
                "EMAIL_HOST_USER": "bot@example.mn",
                "EMAIL_HOST_PASSWORD": "p@ss/",
                "DEFAULT_FROM_EMAIL": "bot@example.mn",
            },
        ),
        (
            "smtps://u:p@[::1]:4650/?from=book@example.mn",
            {
                "EMAIL_HOST": "::1",
                "EMAIL_PORT": 4650,
                "EMAIL_USE_SSL": True,
                "EMAIL_USE_TLS": False,
                "DEFAULT_FROM_EMAIL": "book@example.mn",
            },
        ),
        ("console://", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
        ("memory://", {"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}),
        ("", email_url.OFF),
    ],
)
def test_a_mail_server_is_one_line(url: str, expected: dict[str, Any]) -> None:
    found = read(EMAIL_URL=url).email_url("EMAIL_URL")
    assert {name: found[name] for name in expected} == expected
    assert found["EMAIL_BACKEND"].startswith("django.core.mail.backends.")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.mn",
        "http://mail.example.mn",
        "smtp://",
        "smtp://host:port",
        "smtp://host:70000",
        "smtp://host/path",
        "smtp://host?tls=1",
        "smtp://host?from=nobody",
        "smtp://host?nonsense",
        "console://host",
        "smtp://[broken",
    ],
)
def test_a_wrong_mail_server_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(EMAIL_URL=url).email_url("EMAIL_URL")
    assert str(caught.value) == f"EMAIL_URL=(secret) is not valid: expected {email_url.EXPECTED}."


def test_addresses_are_checked() -> None:
    assert read(A="a@b.mn, c@d.mn,").addresses("A") == ["a@b.mn", "c@d.mn"]
    assert read().addresses("A") == []
    with pytest.raises(ImproperlyConfigured, match=r"'a@b.mn,nobody' is not valid: expected email addresses"):
        read(A="a@b.mn,nobody").addresses("A")


@pytest.mark.parametrize("key", [KEY, "a" * 32, "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="])
def test_a_webhook_key_is_kept_as_it_is(key: str) -> None:
    assert read(S=key).webhook_secret("S") == key


@pytest.mark.parametrize("key", ["whsec_", "short", "whsec_" + "a" * 28, "a" * 400, "whsec_ä" + "a" * 32, "a" * 33])
def test_a_weak_webhook_key_is_refused_and_not_told(key: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(S=key).webhook_secret("S")
    assert str(caught.value).startswith("S=(secret) is not valid: expected whsec_")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ALERT_WEBHOOK_URL": "https://example.mn/T0P-SECRET"}, "ALERT_WEBHOOK_URL is set but ALERT_WEBHOOK_SECRET"),
        ({"ALERT_EMAIL": "a@b.mn"}, "ALERT_EMAIL is set but EMAIL_URL is not"),
    ],
)
def test_half_a_channel_stops_the_start(variables: dict[str, str], message: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALERT_", "EMAIL_"))}
    ran = subprocess.run(
        [sys.executable, "-c", "import yellowbook.settings"], env=kept | variables, capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert message in ran.stderr
    assert "T0P-SECRET" not in ran.stderr
