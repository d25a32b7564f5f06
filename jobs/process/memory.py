"""How much memory there is for this process, and how much of it is used.

The limit is `WORKER_MEMORY_LIMIT` where it is set, and counts for this process alone. Else it is the container's, where
there is one: then what counts is the memory of the whole container that can't be taken back, since it is the container
that the kernel kills. Else it is the machine's, for this process alone.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
from django.conf import settings

MIB = 2**20
_CGROUP = Path("/sys/fs/cgroup")
_OF_THIS_PROCESS = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Memory:
    """All in bytes."""

    #: Resident memory of this process.
    resident: int
    #: What counts towards the limit.
    used: int
    limit: int

    @property
    def share(self) -> float:
        """How much of the limit is used; 1 is all of it."""
        return self.used / self.limit

    @property
    def room(self) -> int:
        """What is left until the limit."""
        return max(0, self.limit - self.used)


def memory() -> Memory:
    """Measure; takes about 50 microseconds."""
    resident = psutil.Process().memory_info().rss
    if settings.WORKER_MEMORY_LIMIT:
        return Memory(resident, resident, settings.WORKER_MEMORY_LIMIT * MIB)
    container = _container(_CGROUP, _OF_THIS_PROCESS)
    if container is not None:
        return Memory(resident, container.working_set(), container.limit)
    return Memory(resident, resident, _machine())


@dataclass(frozen=True, slots=True)
class Container:
    """A control group with a limit."""

    limit: int
    _usage: Path
    _stat: Path
    #: The line of `_stat` that holds the file cache which the kernel takes back first.
    _reclaimable: str

    def working_set(self) -> int:
        """Return the bytes in use without the file cache that can be taken back, as Kubernetes counts them."""
        used = int(self._usage.read_text())
        for line in self._stat.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == self._reclaimable:
                return max(0, used - int(value))
        return used


@cache
def _machine() -> int:
    return int(psutil.virtual_memory().total)


@cache
def _container(root: Path, membership: Path) -> Container | None:
    """Return the tightest control group (v2 or v1) around this process that limits memory; None when none does."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    found: list[Container] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            found += _limits(root, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            v1 = root / "memory"
            found += _limits(v1, path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    # Without a limit, version 1 shows a number larger than any machine has.
    return min((each for each in found if each.limit < _machine()), key=lambda each: each.limit, default=None)


def _limits(root: Path, path: str, limit: str, usage: str, reclaimable: str) -> list[Container]:
    """Look at the group and those around it; inside a container the path may be the one seen from outside."""
    own = root / path.lstrip("/")
    found = []
    for group in dict.fromkeys([own, *(each for each in own.parents if each.is_relative_to(root)), root]):
        try:
            told = (group / limit).read_text().strip()
            (group / usage).read_text()
            (group / "memory.stat").read_text()
        except OSError:
            continue
        if told != "max":
            found.append(Container(int(told), group / usage, group / "memory.stat", reclaimable))
    return found
