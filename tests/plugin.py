"""Starts PostgreSQL and Valkey for a test run before Django's settings are read.

Loaded by `-p tests.plugin` in pyproject.toml, because a conftest would come too late. Whoever sets `DATABASE_URL` or
`REDIS_URL` has the tests run on that server instead. With pytest-xdist each of its processes has servers of its own.
"""

import contextlib
import os
from collections.abc import Generator

import pytest

from yellowbook.local.options import read_options
from yellowbook.local.throwaway import throwaway_servers


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option for the sizes of `tests.flows.sizes`; a conftest would come too late for it, too."""
    parser.addoption("--full-size", action="store_true", help="run the failure flows at full size: real minutes")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Have the servers ready and named in the environment; a wrapper, to come before pytest-django's own hook."""
    asked = early_config.known_args_namespace
    distributes = bool(getattr(asked, "numprocesses", None)) and "PYTEST_XDIST_WORKER" not in os.environ
    if not (asked.help or asked.version or distributes):
        stack = contextlib.ExitStack()
        early_config.add_cleanup(stack.close)
        options = read_options()
        servers = stack.enter_context(throwaway_servers(options.database_url, options.redis_url))
        os.environ["VAR_DIR"] = str(servers.var_dir)
        # What collectstatic would make; whitenoise warns where it is missing.
        (servers.var_dir / "static").mkdir(exist_ok=True)
        os.environ["DATABASE_URL"] = servers.database_url
        os.environ["REDIS_URL"] = servers.redis_url
        # A job for every business would be in the way of tests that are about others; those of enrichment switch it on.
        os.environ["ENRICHMENT"] = "off"
    return (yield)
