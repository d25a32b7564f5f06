"""`DATABASE_URL` and `DATABASE_DIRECT_URL`, as Django is told of them."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from yellowbook.database_url import database
from yellowbook.local.options import ROOT

URL = "postgresql://user:word@db:5433/book?sslmode=require"


def options(**given: Any) -> Any:
    return database(URL, **given)["OPTIONS"]


def test_a_url_is_read_by_libpqs_rules() -> None:
    found = database(URL)
    assert {name: found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "book",
        "USER": "user",
        "PASSWORD": "word",
        "HOST": "db",
        "PORT": "5433",
    }
    assert options()["sslmode"] == "require"


def test_a_session_of_our_own_is_told_when_to_end_an_idle_transaction() -> None:
    assert "idle_in_transaction_session_timeout" in options()["options"]
    assert database(URL)["DISABLE_SERVER_SIDE_CURSORS"] is False


def test_nothing_is_asked_of_a_session_that_is_shared() -> None:
    assert options(shared=True)["options"] == ""
    assert database(URL, shared=True)["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_a_wrong_one_is_named_without_being_told() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_DIRECT_URL=\(secret\) is not valid"):
        database("postgresql://user:word@db:5433/book?nonsense=1", name="DATABASE_DIRECT_URL")


@pytest.mark.parametrize(("direct", "alias", "shared"), [("", "default", False), (URL, "direct", True)])
def test_a_direct_url_says_that_the_other_one_is_shared(direct: str, alias: str, shared: bool) -> None:
    code = (
        "from django.conf import settings;"
        "print(settings.DIRECT_DATABASE, settings.DATABASES['default']['DISABLE_SERVER_SIDE_CURSORS'])"
    )
    environment = {**os.environ, "DATABASE_DIRECT_URL": direct, "DJANGO_SETTINGS_MODULE": "yellowbook.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [alias, str(shared)], done.stderr
