"""The generated signing key of an installation that was given none."""

import os
import secrets
from pathlib import Path

#: File under `VAR_DIR` that holds the generated key (mode 0600).
SECRET_KEY_FILE = "secret-key"  # noqa: S105 a file's name


def read_or_create_secret_key(var_dir: Path) -> str:
    """Return the key kept under `var_dir`, making one the first time.

    Two processes that start at once agree: the file is linked into place whole, and only the first link wins.
    """
    path = var_dir / SECRET_KEY_FILE
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        var_dir.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{SECRET_KEY_FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")
