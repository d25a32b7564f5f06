"""PostgreSQL: there, new enough, with everything that the code expects of it."""

import time
from typing import Any, Final

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jobs import workers
from jobs.upkeep.examination import Check, Diagnosis, ok, problem, register_check, warning

#: Oldest versions that the statements of this project run on.
OLDEST_SERVER: Final = 140_000
OLDEST_PGVECTOR: Final = (0, 7)

#: Seconds by which the clock of this host may differ from the database's: logs of several hosts can still be read.
CLOCK_WARNING: Final = 2.0
#: Seconds by which it may differ before signed times (sessions, tokens, webhooks) are refused.
CLOCK_PROBLEM: Final = 120.0

#: Connections that a web process takes, and a worker process besides one per batch under way.
PER_WEB_PROCESS: Final = 8
PER_WORKER_BESIDES: Final = 4
#: Share of the connections in use above which it becomes tight.
TIGHT: Final = 0.8

_SIZE = "SELECT pg_size_pretty(pg_database_size(current_database()))"

_PGVECTOR = """
SELECT installed.extversion, available.default_version
  FROM pg_available_extensions AS available
  LEFT JOIN pg_extension AS installed ON installed.extname = available.name
 WHERE available.name = 'vector'
"""

_CONNECTIONS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true)::int, 0),
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
"""

#: Constraints and indexes by name, with whether they can be relied on.
_NAMED = """
SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE relnamespace = current_schema()::regnamespace
 UNION ALL
SELECT conname, convalidated FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
"""

_FOREIGN_KEYS = """
SELECT relname, attname
  FROM pg_constraint
  JOIN pg_class ON pg_class.oid = conrelid
  JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
 WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""


def _rows(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _server() -> Diagnosis:
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=5) as found:
            number, parameter = found.info.server_version, found.info.parameter_status("server_version")
    except psycopg.OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        return problem(f"can't be reached: {reason}", "Start it, or correct DATABASE_URL.")
    if number < OLDEST_SERVER:
        return problem(f"version {parameter}", f"Upgrade to {OLDEST_SERVER // 10_000} or later.")
    return ok(f"version {parameter}")


def _pgvector() -> Diagnosis:
    rows = _rows(_PGVECTOR)
    if not rows:
        return problem("not installed on the server", "Install the package pgvector on the database's host.")
    installed, available = rows[0]
    if installed is None:
        return problem("not in this database", "Run CREATE EXTENSION vector as a superuser, then manage.py migrate.")
    if tuple(map(int, installed.split(".")[:2])) < OLDEST_PGVECTOR:
        oldest = ".".join(map(str, OLDEST_PGVECTOR))
        return problem(
            f"version {installed} has no halfvec", f"Install {oldest} or later, ALTER EXTENSION vector UPDATE."
        )
    if installed != available:
        return warning(f"version {installed}, the server has {available}", "Run ALTER EXTENSION vector UPDATE.")
    return ok(f"version {installed}")


def _migrations() -> Diagnosis:
    loader = (executor := MigrationExecutor(connection)).loader
    missing = executor.migration_plan(loader.graph.leaf_nodes())
    if missing:
        first = missing[0][0]
        return problem(
            f"{len(missing)} not applied, the first {first.app_label}.{first.name}", "Run manage.py migrate."
        )
    ahead = [
        key for key in loader.applied_migrations if key[0] in loader.migrated_apps and key not in loader.graph.nodes
    ]
    if ahead:
        return warning(f"the database has {len(ahead)} that this code lacks", "Update the code on this host.")
    return ok("all applied")


def _schema() -> Diagnosis:
    """Compare what the models declare with what is there: a restore or an interrupted migration may have lost some."""
    models = [model for model in apps.get_models() if model._meta.managed]
    named = {each.name for model in models for each in (*model._meta.constraints, *model._meta.indexes)}
    keys = {
        (model._meta.db_table, field.column)
        for model in models
        for field in model._meta.local_fields
        if field.remote_field is not None and getattr(field, "db_constraint", False)
    }
    valid: dict[str, bool] = {}
    for name, is_valid in _rows(_NAMED):
        valid[name] = is_valid and valid.get(name, True)
    missing = sorted(named - valid.keys()) + sorted(
        f"{table}.{column}" for table, column in keys - set(_rows(_FOREIGN_KEYS))
    )
    invalid = sorted(name for name, is_valid in valid.items() if not is_valid)
    if missing:
        return problem(f"missing constraints or indexes: {', '.join(missing)}", "Make them as the migrations do.")
    if invalid:
        return problem(f"invalid: {', '.join(invalid)}", "REINDEX INDEX, or ALTER TABLE ... VALIDATE CONSTRAINT.")
    return ok(f"{len(named)} constraints and indexes, {len(keys)} foreign keys")


def _clock() -> Diagnosis:
    before = time.time()
    theirs = float(_rows("SELECT extract(epoch FROM clock_timestamp())")[0][0])
    after = time.time()
    apart = max(0.0, abs(theirs - (before + after) / 2) - (after - before) / 2)
    said = f"{apart:,.1f} s apart from the database's"
    todo = "Have both hosts keep time by NTP."
    if apart > CLOCK_PROBLEM:
        return problem(said, todo)
    return warning(said, todo) if apart > CLOCK_WARNING else ok(said)


def _connections() -> Diagnosis:
    ((room, used),) = _rows(_CONNECTIONS)
    if settings.DATABASE_DIRECT_URL:
        return ok(f"{used} of {room} in use; PgBouncer's pools say how many there may be")
    alive = workers.alive().count()
    planned = PER_WEB_PROCESS + alive * (settings.JOB_CONCURRENCY + PER_WORKER_BESIDES)
    said = f"{used} of {room} in use; a web process and {alive} worker processes may take {planned}"
    if max(used, planned) > room:
        return problem(said, "Raise max_connections, or run fewer processes.")
    if max(used, planned) > TIGHT * room:
        return warning(said, "Raise max_connections.")
    return ok(said)


def _idle_transactions() -> Diagnosis:
    """Look whether a process that froze in a transaction, or a host that vanished, would keep its locks for hours."""
    ((told,),) = _rows("SELECT current_setting('idle_in_transaction_session_timeout')")
    if told == "0":
        return warning(
            "a transaction that its process left may hold its locks for ever",
            "ALTER ROLE ... SET idle_in_transaction_session_timeout = '60s' for the role of DATABASE_URL: through"
            " PgBouncer we can't ask for it ourselves.",
        )
    return ok(f"ended after {told}")


def _size() -> Diagnosis:
    return ok(str(_rows(_SIZE)[0][0]))


register_check(Check("postgresql", _server))
register_check(Check("pgvector", _pgvector, needs=("postgresql",)))
register_check(Check("migrations", _migrations, needs=("postgresql",)))
register_check(Check("schema", _schema, needs=("migrations",)))
register_check(Check("clock", _clock, needs=("postgresql",)))
register_check(Check("connections", _connections, needs=("migrations",)))
register_check(Check("idle_transactions", _idle_transactions, needs=("postgresql",)))
register_check(Check("database_size", _size, needs=("postgresql",)))
