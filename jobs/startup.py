"""What has to hold before a worker takes work. Settings were read and checked before any of this runs."""

import time
from collections.abc import Callable

import psycopg
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis import RedisError

from jobs.broker.base import rabbitmq_failure
from jobs.clean import clean
from jobs.errors import JobError
from jobs.kinds import Kind, all_kinds
from jobs.lifecycle import circuit
from jobs.models import Lane
from jobs.redis import IMPATIENT, connect

#: Seconds between two tries to reach the database.
_RETRY_EVERY = 1.0
#: Seconds that one try may take.
_CONNECT_WITHIN = 5

Say = Callable[[str], object]


class CannotStart(Exception):
    """No work can be taken; the message says why and what to do."""


def check(say: Say) -> None:
    """Look at everything in the order in which it is needed; tell `say` what is noteworthy.

    Raises `CannotStart` for a database that stays away or lacks migrations. Redis, RabbitMQ and the provider may be
    away: the worker goes on without them, and a provider that refuses our key has its lane paused instead of failing
    jobs.
    """
    _await_database(say)
    check_migrations()
    _check_redis(say)
    _check_rabbitmq(say)
    for kind in all_kinds():
        _check_kind(kind, say)


def _await_database(say: Say) -> None:
    """Wait up to `START_PATIENCE` seconds for PostgreSQL to answer."""
    until = time.monotonic() + settings.START_PATIENCE
    told = False
    while reason := database_failure():
        if time.monotonic() > until:
            raise CannotStart(f"PostgreSQL can't be reached (check DATABASE_URL): {reason}")
        if not told:
            told = True
            say(f"Waiting up to {settings.START_PATIENCE:g} s for PostgreSQL: {reason}")
        # Nothing can be done without it; `until` bounds the wait.
        time.sleep(_RETRY_EVERY)
    if told:
        say("PostgreSQL is there.")


def database_failure() -> str:
    """Try to reach PostgreSQL once; return why that failed, nothing when it did not."""
    try:
        for url in filter(None, (settings.DATABASE_URL, settings.DATABASE_DIRECT_URL)):
            psycopg.connect(url, connect_timeout=_CONNECT_WITHIN).close()
    except psycopg.OperationalError as error:
        return clean(str(error)).strip().splitlines()[0]
    return ""


def check_migrations() -> None:
    """Raise `CannotStart` for a database that lacks migrations."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        first = missing[0][0]
        raise CannotStart(
            f"{len(missing)} migrations are not applied, beginning with {first.app_label}.{first.name}:"
            " run manage.py migrate."
        )


def _check_redis(say: Say) -> None:
    try:
        connect(timeout=IMPATIENT).ping()
    except RedisError as error:
        say(f"Redis can't be reached ({type(error).__name__}): jobs wait in PostgreSQL until it is there.")


def _check_rabbitmq(say: Say) -> None:
    if reason := rabbitmq_failure():
        say(f"RabbitMQ can't be reached ({reason}): jobs wait in PostgreSQL until it is there.")


def _check_kind(kind: Kind, say: Say) -> None:
    """Try a lane's provider: pause the lane when that says no, open a lane again that it had paused when it says yes.

    Several workers that start together may each try; a pause by a person stays.
    """
    lane = Lane.objects.filter(kind=kind.name).first()
    if kind.probe is None or (lane is not None and lane.paused_at is not None and not lane.circuit):
        return
    try:
        kind.probe()
    except JobError as error:
        error.message = clean(error.message)
        paused = kind.retry[error.error_class].pause is not None
        if paused:
            circuit.note(kind, [error], succeeded=False)
        say(f"{kind.name}: {error.error_class}: {error.message}{' Its lane is paused.' if paused else ''}")
    else:
        circuit.reopen(kind)
