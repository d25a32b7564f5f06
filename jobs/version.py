"""Which code this process runs."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from django.conf import settings

#: Seconds that git may take.
_PATIENCE = 5


@cache
def running_version() -> str:
    """Return the commit (`1a2b3c4`, with `-dirty` for a changed one) in a checkout, else the package's version."""
    try:
        told = subprocess.run(  # noqa: S603
            ["git", "-C", str(settings.BASE_DIR), "describe", "--always", "--dirty", "--abbrev=7"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        told = ""
    return told[:40] or _package()


def _package() -> str:
    try:
        return version("yellowbook")
    except PackageNotFoundError:
        return "source"
