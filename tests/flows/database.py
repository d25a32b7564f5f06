"""Databases for flows: one is migrated once, each flow gets a copy of it."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.flows.waiting import until
from yellowbook.local.options import ROOT

#: Flows count the jobs that they cause. Those for similar businesses would come seconds later, at any time: nothing is
#: marked, and so none is made, but in flows about them (`House.follow_similar`).
_QUIET = """
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER quiet BEFORE INSERT ON similarity_mark FOR EACH ROW EXECUTE FUNCTION nothing();
"""

#: Seconds that a management command may take.
COMMAND_WITHIN = 110.0


@dataclass(frozen=True)
class Template:
    """A migrated database with an administrator and nothing else, and the static files of the web server."""

    server_url: str
    name: str
    token: str
    user: str
    password: str
    static: Path


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a management command and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN,
        check=False,
    )
    assert done.returncode == 0, f"manage.py {arguments[0]}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def template_database(server_url: str, environment: Mapping[str, str], var_dir: Path) -> Iterator[Template]:
    """Make the database that the others are copied from, on the server of `server_url`."""
    with _database(server_url) as (name, url):
        environment = {**environment, "VAR_DIR": str(var_dir), "DATABASE_URL": url, "SAMPLE_DATA": "0"}
        manage(environment, "migrate", "--noinput", "-v0")
        manage(environment, "collectstatic", "--noinput", "-v0")
        with psycopg.connect(url) as connection:
            connection.execute(_QUIET)
        credentials = json.loads(manage(environment, "bootstrap").splitlines()[-1])
        user, password = credentials["admin_user"], credentials["admin_password"]
        yield Template(server_url, name, credentials["api_token"], user, password, var_dir / "static")


@contextmanager
def copied_database(template: Template) -> Iterator[str]:
    """Copy the template and yield the copy's URL; the copy is dropped afterwards, whoever still uses it."""
    with _database(template.server_url, template.name) as (_, url):
        yield url


@contextmanager
def _database(server_url: str, template: str = "template1") -> Iterator[tuple[str, str]]:
    name = f"flow_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:

        def made() -> bool:
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
                )
            except psycopg.errors.ObjectInUse:  # the last session in the template is still ending
                return False
            return True

        until(made, f"nobody is connected to {template}")
        try:
            yield name, urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
