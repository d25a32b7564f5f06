"""The directory of the servers' sockets: short, private, and gone once they have stopped.

The path of a unix socket ends at 107 characters, so it can't lie below a checkout, which may lie anywhere.
"""

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from yellowbook.local.account import Account

PREFIX = "yellowbook-sockets-"
#: A temporary directory that is longer, or has characters that the servers would take for separators, isn't used.
USABLE = re.compile(r"/[\w/.-]{0,60}", re.ASCII)
FALLBACK = "/tmp"  # noqa: S108 mkdtemp makes a private directory in it


def make_socket_directory(account: Account | None) -> Path:
    """Make a directory with a random name that only this user, and the account if any, can enter."""
    parent = tempfile.gettempdir()
    if not USABLE.fullmatch(parent) or (account is not None and not account.can("-x", Path(parent))):
        parent = FALLBACK
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    if account is not None:
        os.chown(made, account.uid, account.gid)
    return made


def remove_socket_directory(directory: Path) -> None:
    """Remove one that was made here; leave alone whatever else a leftover file may name."""
    try:
        found = directory.lstat()
    except OSError:
        return
    ours = os.geteuid() in (0, found.st_uid)
    if directory.name.startswith(PREFIX) and stat.S_ISDIR(found.st_mode) and ours:
        shutil.rmtree(directory, ignore_errors=True)
