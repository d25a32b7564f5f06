"""Versions, settings and the disk of this host."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from itertools import chain

import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core import checks
from django.core.checks import CheckMessage

from jobs.upkeep.examination import Check, Diagnosis, ok, problem, register_check, warning
from jobs.version import running_version

GIB = 2**30
#: Bytes below which a disk is nearly full, and below which writing is about to fail.
LOW_DISK = 2 * GIB
NO_DISK = GIB // 4

#: Packages whose versions a report of a defect should name.
_PACKAGES = ("django", "psycopg", "redis", "dramatiq")

#: Length and variety that a key made by chance has at least; Django's own check asks for as much variety.
_KEY_LENGTH, _KEY_VARIETY = 40, 5

#: Names that only this machine answers to.
_LOCAL = {"localhost", "127.0.0.1", "[::1]"}


def _versions() -> Diagnosis:
    said = [f"code {running_version()}", f"Python {platform.python_version()}"]
    said += [f"{package} {_version(package)}" for package in _PACKAGES]
    if psycopg.pq.__impl__ == "python":
        return warning(f"{', '.join(said)}; psycopg runs without its C part", "Install psycopg[binary].")
    return ok(", ".join(said))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _system_checks() -> Diagnosis:
    """Do what `manage.py check` does; other commands refuse to run where that finds errors."""
    found: list[CheckMessage] = checks.run_checks()
    serious = [message for message in found if message.is_serious()]
    if serious:
        return problem(f"{len(serious)} errors, the first: {serious[0].msg}", serious[0].hint or "See manage.py check.")
    if found:
        return warning(f"{len(found)} warnings, the first: {found[0].msg}", found[0].hint or "See manage.py check.")
    return ok("manage.py check finds nothing")


def _debug() -> Diagnosis:
    if settings.DEBUG:
        return warning("on: errors show settings and code to visitors", "Unset DJANGO_DEBUG where others have access.")
    return ok("off")


def _secret_key() -> Diagnosis:
    key = settings.SECRET_KEY
    if len(key) < _KEY_LENGTH or len(set(key)) < _KEY_VARIETY or key.startswith("django-insecure-"):
        return problem(
            "easy to guess: sessions can be forged",
            "Set DJANGO_SECRET_KEY to what python3 -c 'import secrets; print(secrets.token_urlsafe(50))' prints.",
        )
    return ok(f"{len(key)} characters")


def _allowed_hosts() -> Diagnosis:
    hosts = settings.ALLOWED_HOSTS
    if "*" in hosts:
        return problem("any host name is answered", "Set DJANGO_ALLOWED_HOSTS to the names that clients use.")
    if set(hosts) <= _LOCAL:
        return ok("only this machine's own names; DJANGO_ALLOWED_HOSTS adds others")
    return ok(", ".join(hosts))


def _disk() -> Diagnosis:
    if not os.access(settings.VAR_DIR, os.W_OK):
        return warning("VAR_DIR can't be written to", "Make it writable: generated keys and logs go there.")
    free = shutil.disk_usage(settings.VAR_DIR).free
    said = f"{free / GIB:,.1f} GiB free in VAR_DIR"
    if free < NO_DISK:
        return problem(said, "Make room: servers that can't write stop.")
    return warning(said, "Make room.") if free < LOW_DISK else ok(said)


def _static() -> Diagnosis:
    names = [name for name, _ in chain.from_iterable(finder.list([]) for finder in get_finders())]
    missing = sum(not (settings.STATIC_ROOT / name).exists() for name in names)
    if missing:
        return warning(
            f"{missing} of {len(names)} files are not collected: pages lack their styles",
            "Run manage.py collectstatic on every host that serves the web.",
        )
    return ok(f"{len(names)} files collected")


register_check(Check("versions", _versions))
register_check(Check("system_checks", _system_checks))
register_check(Check("debug", _debug))
register_check(Check("secret_key", _secret_key))
register_check(Check("allowed_hosts", _allowed_hosts))
register_check(Check("disk", _disk))
register_check(Check("static_files", _static))
