"""Whether the system can do its work, and what is missing."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import RedisError

from jobs import workers
from jobs.broker.base import rabbitmq_failure
from jobs.redis import IMPATIENT, connect


@dataclass
class Health:
    """The state of each part: `ok`, or in words what is wrong with it."""

    parts: dict[str, str] = field(default_factory=dict)
    #: Parts without which nothing works.
    failed: list[str] = field(default_factory=list)
    #: Parts without which saves and reads go on.
    degraded: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """`ok`, `degraded` or `failed`."""
        return "failed" if self.failed else "degraded" if self.degraded else "ok"


def _database() -> None:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise LookupError(f"{len(missing)} not applied: run manage.py migrate")


def _pgvector() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')")
        if not cursor.fetchone()[0]:
            raise LookupError("the extension is not installed: run CREATE EXTENSION vector")


def _redis() -> None:
    connect(timeout=IMPATIENT).ping()


def _rabbitmq() -> None:
    if reason := rabbitmq_failure():
        raise LookupError(f"not reachable ({reason})")


def _workers() -> None:
    if not workers.alive().exists():
        raise LookupError("no worker is alive: start manage.py rundramatiq")


#: Without these the answer is 503.
ESSENTIAL: dict[str, Callable[[], None]] = {"database": _database, "migrations": _migrations, "pgvector": _pgvector}


def _helpful() -> dict[str, Callable[[], None]]:
    """Return the parts without which saves and searches go on, and jobs wait."""
    return {"redis": _redis} | ({"rabbitmq": _rabbitmq} if settings.BROKER_URL else {}) | {"workers": _workers}


def check() -> Health:
    """Look at every part; never raises."""
    health = Health()
    for name, look in {**ESSENTIAL, **_helpful()}.items():
        try:
            look()
        except LookupError as error:
            health.parts[name] = str(error)
        except (DatabaseError, RedisError, OSError) as error:
            health.parts[name] = f"not reachable ({type(error).__name__})"
        else:
            health.parts[name] = "ok"
            continue
        (health.failed if name in ESSENTIAL else health.degraded).append(name)
    return health
