"""Systems of real processes for the flows."""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.flows.database import template_database
from tests.flows.house import Houses, clean_environment
from tests.flows.sizes import FULL, FULL_TIMEOUT, SMALL, TIMEOUT, Sizes
from tests.flows.standin import StandIn
from tests.flows.system import System
from tests.flows.trouble import figures

#: Both SDKs of Google.
SDKS = ("gemini", "google-generativeai")
SYSTEMS = pytest.StashKey[list[System]]()
#: Name of the property of a report that holds what `figures` returned.
FIGURES = "figures"


class Start(Protocol):
    """Starts a system whose Google is the stand-in; without one it embeds with the local provider."""

    def __call__(self, standin: StandIn | None = None) -> System: ...


@pytest.fixture(scope="session")
def sizes(request: pytest.FixtureRequest) -> Sizes:
    """How large the failure flows are."""
    return FULL if request.config.getoption("--full-size") else SMALL


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    """Databases, Redis and web servers, kept for all flows."""
    server_url, directory = os.environ["DATABASE_URL"], tmp_path_factory.mktemp("template")
    with (
        template_database(server_url, clean_environment(), directory) as template,
        Houses(template) as kept,
    ):
        yield kept


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
def start(houses: Houses, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a system that is stopped, and its traces removed, with the test."""
    systems = request.node.stash.setdefault(SYSTEMS, [])
    with ExitStack() as stack:

        def started(standin: StandIn | None = None) -> System:
            house = houses.of(standin.settings if standin else {"EMBEDDING_PROVIDER": "local"})
            system = System(house)
            systems.append(system)
            return stack.enter_context(system)

        yield started


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give flows more time than other tests: the first one waits for all servers, and full size takes minutes."""
    for item in items:
        if item.get_closest_marker("flow"):
            large = config.getoption("--full-size") and "sizes" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.timeout(FULL_TIMEOUT if large else TIMEOUT))
    if not config.getoption("--full-size"):
        take_turns(config, items)


def take_turns(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each flow that is there for both SDKs with one of them, by turns; at full size it runs with both."""
    turns: dict[str, str] = {}
    left_out: list[pytest.Item] = []
    for item in sorted(items, key=lambda item: item.nodeid):
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if not item.get_closest_marker("flow") or "provider" not in parameters:
            continue
        same = item.nodeid.replace(str(parameters["provider"]), "*")
        if same not in turns:
            turns[same] = SDKS[len(turns) % len(SDKS)]
        if turns[same] != parameters["provider"]:
            left_out.append(item)
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the logs with a flow that failed, before they are gone; note the figures of one of full size."""
    report = yield
    if report.when == "call" and item.config.getoption("--full-size") and "sizes" in getattr(item, "fixturenames", ()):
        for system in item.stash.get(SYSTEMS, []):
            report.user_properties.append((FIGURES, figures(system)))
    if report.failed and report.when == "call":
        for system in item.stash.get(SYSTEMS, []):
            report.sections.extend(system.house.report())
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures of the flows of full size."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, value in report.user_properties:
            if name == FIGURES:
                terminalreporter.write_line(f"{report.nodeid.partition('::')[2]}: {report.duration:.0f} s, {value}")
