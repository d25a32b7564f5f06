"""Who the servers run as, and where that user can reach them.

PostgreSQL refuses to run as root. Started by root, as in a container, the servers run as an unprivileged user, who may
not be allowed into the checkout: one under a home directory of mode 0700 is a real case. Then their data, and a copy of
their programs, go where that user can reach them.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from yellowbook.local.binaries import Program
from yellowbook.local.errors import LocalError

#: Users that exist on every Linux and own nothing, in order of preference.
UNPRIVILEGED = ("nobody", "daemon")
#: The servers' data below `VAR_DIR`.
DATA_DIRECTORY = "data"
#: File below `VAR_DIR` that holds the path of the data when they had to go elsewhere.
REMEMBERED = "data-directory"
#: Where they go then: the second one is for a read-only /var/lib.
ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 mkdtemp makes a private directory in it
ELSEWHERE_PREFIX = "yellowbook-"


@dataclass(frozen=True)
class Account:
    """The user and group that a server runs as."""

    uid: int
    gid: int

    def can(self, test: str, path: Path) -> bool:
        """Try as this user what `test` of the shell says about a path, such as `-x`."""
        command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
        try:
            return (
                subprocess.run(  # noqa: S603 the command is ours
                    command, cwd="/", user=self.uid, group=self.gid, extra_groups=[], check=False
                ).returncode
                == 0
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise LocalError(
                f"PostgreSQL does not run as root, and no other user can be taken here ({error}). "
                "Run this as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
            ) from error


def server_account(var_dir: Path) -> Account | None:
    """Return who the servers have to run as, or None to run them as the present user.

    For root that is the ordinary user whom the data already belong to, if any, else an unprivileged one.
    """
    if os.geteuid() != 0:
        return None
    data = var_dir / DATA_DIRECTORY
    if data.is_dir() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LocalError(
        f"PostgreSQL does not run as root, and this machine has no user named {' or '.join(UNPRIVILEGED)}. "
        "Run this as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def data_directory(var_dir: Path, account: Account | None) -> Path:
    """Return the directory of the servers' data, making it the first time: theirs alone, and within their reach."""
    remembered = var_dir / REMEMBERED
    if account is not None and remembered.exists():
        found = Path(remembered.read_text(encoding="utf-8"))
        if found.is_dir() and not found.is_symlink() and found.stat().st_uid == account.uid:
            return found
    data = var_dir / DATA_DIRECTORY
    data.mkdir(mode=0o700, exist_ok=True)
    if account is None:
        if not os.access(data, os.W_OK | os.X_OK):
            raise LocalError(f"{data} belongs to another user. Run this as that user, or set VAR_DIR.")
        return data
    # A directory shared from another system may not be given away.
    with contextlib.suppress(OSError):
        os.chown(data, account.uid, account.gid)
    if account.can("-O", data) and account.can("-w", data):
        return data
    data.rmdir()
    found = _private_directory(account)
    remembered.write_text(str(found), encoding="utf-8")
    return found


def within_reach(program: Program, data: Path, account: Account | None) -> Program:
    """Return the program itself if the account can run it, else a copy of it beside the data, made once a version."""
    if account is None or program.tree is None or all(account.can("-x", program.path(n)) for n in program.names):
        return program
    copy = data / program.version
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=data))
        for part in program.parts:
            _copy(program.tree / part, draft / part)
        for path in (draft, *draft.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
        draft.rename(copy)
    return Program(copy / program.directory.relative_to(program.tree), program.names)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


def _private_directory(account: Account) -> Path:
    for parent in ELSEWHERE:
        if not parent.is_dir() or not os.access(parent, os.W_OK) or not account.can("-x", parent):
            continue
        made = Path(tempfile.mkdtemp(prefix=ELSEWHERE_PREFIX, dir=parent))
        os.chown(made, account.uid, account.gid)
        return made
    places = " or ".join(str(parent) for parent in ELSEWHERE)
    raise LocalError(
        f"No directory for the servers' data could be made in {places}. Set VAR_DIR to one in /srv or /opt."
    )
