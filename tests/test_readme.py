"""The README says what is there, and nothing else: settings, commands, paths, dependencies, and its example runs."""

import re
import threading
import tomllib
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver
from model_bakery import baker

from jobs import kinds
from jobs.enqueue import enqueue
from jobs.execute import run_lane
from jobs.models import JobExecution
from yellowbook import settings as settings_module
from yellowbook.directory.models import Business
from yellowbook.env import Env
from yellowbook.local import options

PACKAGES = ("yellowbook", "embeddings", "jobs")
ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OUR_APPS = {config.name for config in apps.get_app_configs() if config.name.startswith(PACKAGES)}
#: A path's parameter, as Django and as the README write it.
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def section(title: str) -> str:
    """Return the text below a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"The README has no section {title!r}."
    return found[1]


def rows(title: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def in_code(text: str) -> list[str]:
    """Return what stands between backquotes, but for blocks of code."""
    return re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def settings_read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the variables that the settings and `make run` read."""
    readers: list[Env] = [settings_module.env]

    class Noted(Env):
        def __init__(self, source: Any = None) -> None:
            super().__init__(source)
            readers.append(self)

    monkeypatch.setattr(options, "Env", Noted)
    options.read_options({})
    return {name for reader in readers for name in reader.known}


def paths(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Walk the paths below some patterns; those that are regular expressions lead nowhere."""
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from paths(each.url_patterns, path)
        elif not path.startswith("^"):
            yield "/" + PARAMETER.sub(r"{\1}", path)


def test_the_table_of_settings_names_every_variable_that_is_read_and_no_other(monkeypatch):
    documented = [name for row in rows("Settings") for name in in_code(row[0])]

    assert sorted(documented) == sorted(settings_read(monkeypatch))


def test_the_table_of_commands_names_every_command_of_the_project_and_no_other():
    documented = [name for row in rows("Commands") for name in in_code(row[0])]

    assert sorted(documented) == sorted(name for name, app in get_commands().items() if app in OUR_APPS)


def test_the_table_of_endpoints_names_every_path_and_no_other():
    documented = {path for row in rows("API") for path in in_code(row[0])}
    served = {path for path in paths(get_resolver().url_patterns) if path.startswith(("/api/", "/health/", "/metrics"))}

    assert documented == served


def test_the_table_of_endpoints_names_the_methods_that_each_path_answers():
    documented: dict[str, set[str]] = {}
    for row in rows("API"):
        methods = row[0].partition("`")[0].replace(",", " ").split()
        documented.setdefault(in_code(row[0])[0], set()).update(methods)

    served = {path: methods_of(path) for path in documented}

    assert documented == served


def methods_of(path: str) -> set[str]:
    """Return the methods that a path answers."""
    known = {"uuid": str(uuid4()), "kind": "generate_embedding"}
    concrete = re.sub(r"{(\w+)}", lambda found: known.get(found[1], known["uuid"]), path)
    callback = get_resolver().resolve(concrete).func
    if hasattr(callback, "actions"):
        return {method.upper() for method in callback.actions if method != "head"}
    view = getattr(callback, "view_class", None)
    if view is None:
        return {"GET"}
    return {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}


def test_the_table_of_dependencies_names_every_package_and_no_other():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = [
        *project["project"]["dependencies"],
        *(each for extra in project["project"]["optional-dependencies"].values() for each in extra),
        *(each for group in project["dependency-groups"].values() for each in group),
    ]
    names = [re.split(r"[^A-Za-z0-9._-]", requirement)[0].rstrip("~").lower() for requirement in required]
    documented = [name.strip() for row in rows("Dependencies") for name in row[0].split(",")]

    assert sorted(documented) == sorted(names)


def test_every_file_that_the_readme_names_is_there():
    named = [each for each in in_code(README) if re.match(r"(yellowbook|embeddings|jobs|templates|tests|\.ci)/", each)]

    assert named
    assert [each for each in named if not (ROOT / each).exists()] == []


@pytest.fixture
def website() -> Iterator[str]:
    """Serve a page that is not there."""

    class Gone(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(410)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Gone) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def example() -> Iterator[str]:
    """Declare the kind of job that the README shows; its name."""
    known = set(kinds._kinds)
    code = re.search(r"```python\n(.*?)```", section("Add a kind of job"), re.DOTALL)
    assert code
    exec(compile(code[1], "README.md", "exec"), {})
    (made,) = set(kinds._kinds) - known
    yield made
    del kinds._kinds[made]


@pytest.mark.django_db
def test_the_example_of_a_kind_of_job_works(example, website):
    there, unreachable, without = (
        baker.make(Business, name="A", category="B", address="C", website=url)
        for url in (website, "http://127.0.0.1:1/", "")
    )
    gone = uuid4()
    for subject in (there.pk, unreachable.pk, without.pk, gone):
        enqueue(example, subject=subject)

    while run_lane(example):
        pass

    ended = {job.subject: job for job in JobExecution.objects.filter(kind=example)}
    assert ended[str(there.pk)].result == "HTTP 410"
    assert (ended[str(unreachable.pk)].status, ended[str(unreachable.pk)].error_class) == ("retrying", "network")
    assert ended[str(without.pk)].error_class == "network"
    assert (ended[str(gone)].status, ended[str(gone)].error_class) == ("dead", "not_found")


def test_how_a_kind_of_job_is_added_is_read_in_a_minute():
    assert len(section("Add a kind of job").strip().splitlines()) <= 30
