"""Small files with secrets in them, written whole and read by one user."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_private_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a file of mode 0600 so that a reader sees all of it or nothing."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        os.replace(draft, path)
    except BaseException:
        # Ctrl-C too: nothing is left behind, and it goes on.
        os.unlink(draft)
        raise


def rotated(log: Path) -> Path:
    """Put the log of the last run aside, in place of the one before, and return the path for the new one."""
    if log.exists():
        log.replace(log.with_suffix(".1.log"))
    return log
