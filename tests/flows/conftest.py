"""Systems of real processes for the flows."""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.flows.database import Template, template_database
from tests.flows.standin import StandIn
from tests.flows.system import System, clean_environment

SYSTEMS = pytest.StashKey[list[System]]()


class Start(Protocol):
    """Starts a system; given a stand-in, that is its Google."""

    def __call__(self, standin: StandIn | None = None, *, workers: int = 1, **settings: str) -> System: ...


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """A migrated database, copied for each flow."""
    server_url = os.environ["DATABASE_URL"]
    with template_database(server_url, clean_environment(), tmp_path_factory.mktemp("template")) as made:
        yield made


@pytest.fixture(scope="session")
def running_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    directory = tmp_path_factory.mktemp("standin")
    with StandIn({**clean_environment(), "VAR_DIR": str(directory)}, directory, sys.executable) as standin:
        yield standin


@pytest.fixture
def standin(running_standin: StandIn) -> StandIn:
    """The stand-in for Google's API, with nothing in its log and no delay."""
    running_standin.reset()
    return running_standin


@pytest.fixture
def start(template: Template, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts systems that are stopped with the test."""
    systems = request.node.stash.setdefault(SYSTEMS, [])
    with ExitStack() as stack:

        def started(standin: StandIn | None = None, *, workers: int = 1, **settings: str) -> System:
            system = System(template, workers=workers, settings={**(standin.settings if standin else {}), **settings})
            systems.append(system)
            return stack.enter_context(system)

        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the logs with a flow that failed, before they are gone."""
    report = yield
    if report.failed and report.when == "call":
        for system in item.stash.get(SYSTEMS, []):
            report.sections.extend(system.report())
    return report
