"""`BROKER_URL`: right ones are taken, wrong ones stop the start."""

import os
import subprocess
import sys

import pytest

from yellowbook.local.options import ROOT

_SHOW = "from django.conf import settings; print(settings.DRAMATIQ_BROKER['BROKER'])"
#: An installation without the extra.
_WITHOUT_PIKA = "import sys; sys.modules['pika'] = None; import importlib.util as u; u.find_spec = lambda name: None; "


def run(code: str, url: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of its own."""
    environment = {**os.environ, "BROKER_URL": url, "DJANGO_SETTINGS_MODULE": "yellowbook.settings"}
    return subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("url", "module"),
    [("", "redis"), ("amqp://user:word@mq/", "rabbitmq"), ("amqps://mq/%2Fours", "rabbitmq")],
)
def test_the_url_names_the_broker(url: str, module: str) -> None:
    done = run(_SHOW, url)
    assert done.stdout.strip() == f"jobs.broker.{module}.WakeBroker", done.stderr


@pytest.mark.parametrize("url", ["redis://elsewhere/0", "mq.example.mn", "http://user:hunter2secret@mq/"])
def test_another_scheme_stops_the_start_without_telling_the_url(url: str) -> None:
    done = run(_SHOW, url)
    assert done.returncode != 0
    assert "BROKER_URL=(secret) is not valid: expected a URL that starts with amqp:// or amqps://." in done.stderr
    assert "hunter2secret" not in done.stderr.rpartition("ImproperlyConfigured")[2]


def test_without_pika_the_start_says_what_to_install() -> None:
    done = run(_WITHOUT_PIKA + _SHOW, "amqp://user:hunter2secret@mq/")
    assert done.returncode != 0
    said = done.stderr.rpartition("ImproperlyConfigured")[2]
    assert "BROKER_URL=(secret) needs the package pika" in said
    assert "pip install '.[rabbitmq]'" in said
    assert "hunter2secret" not in said


def test_a_password_in_it_is_concealed() -> None:
    code = "from yellowbook import settings; from jobs.clean import clean; print(clean('it was hunter2secret!'))"
    assert "hunter2secret" not in run(code, "amqp://user:hunter2secret@mq/").stdout
