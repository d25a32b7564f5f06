import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from yellowbook.local.wipe import wipe


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the servers' unprivileged user can get to; pytest's own are of mode 0700."""
    with tempfile.TemporaryDirectory(prefix="yellowbook-test-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory


@pytest.fixture
def var_dir(place: Path) -> Iterator[Path]:
    directory = place / "var"
    yield directory
    wipe(directory)
