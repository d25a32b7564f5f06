"""The stage of the fault suite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.conftest import SYSTEMS
from tests.flows.faults.nursery import Nursery
from tests.flows.faults.stage import Stage
from tests.flows.house import Houses
from tests.flows.trouble import Google
from yellowbook.fleet.environment import clean_environment


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """The process that workers are forked from."""
    with Nursery(clean_environment(), tmp_path_factory.mktemp("nursery")) as nursery:
        yield nursery


@pytest.fixture
def stage(
    nursery: Nursery, houses: Houses, google: Google, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    """A system without a worker."""
    with Stage(houses.of(google.settings), nursery, google, tmp_path) as stage:
        request.node.stash.setdefault(SYSTEMS, []).append(stage)
        yield stage
