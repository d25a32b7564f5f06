"""Fixtures of the tests of `jobs`."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from redis import Redis

from jobs import kinds, outage, wake
from jobs.admin import dashboard
from jobs.kinds import Kind, register
from jobs.process.stopping import stopping
from jobs.wake import _broker
from tests.concurrency import Session

from .support import MakeKind, do_nothing

#: The server of the test run, whatever a test makes of the setting.
REDIS_URL = django_settings.REDIS_URL


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    """Have the directory that whitenoise warns about where `collectstatic` never ran."""
    django_settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def make_kind(redis_client: Redis) -> Iterator[MakeKind]:
    """Declare trivial kinds of job for the length of a test; each has a queue of its own."""
    made: list[str] = []

    def make(handler: Any = do_nothing, **options: Any) -> Kind:
        name = options.pop("name", f"greet_{uuid.uuid4().hex[:8]}")
        kind = register(Kind(name=name, handler=handler, **options))
        made.append(name)
        return kind

    yield make
    for name in made:
        del kinds._kinds[name]
        redis_client.delete(f"dramatiq:{name}", f"dramatiq:{name}.msgs", f"dramatiq:{name}.bell")


@pytest.fixture
def kind(make_kind: MakeKind) -> Kind:
    """A trivial kind whose claims take up to ten jobs and hold nothing back."""
    return make_kind(batch_size=10, linger=0.0, concurrency=50)


@pytest.fixture
def session() -> Iterator[Callable[[], Session]]:
    """Open further database sessions."""
    opened: list[Session] = []

    def open_session() -> Session:
        opened.append(Session())
        return opened[-1]

    yield open_session
    for each in opened:
        each.close()


@pytest.fixture
def cut_connections(session: Callable[[], Session]) -> Iterator[Callable[[], None]]:
    """Cut every connection to the database but one, as a restart of the server does."""
    survivor = session()

    def cut() -> None:
        survivor.do(_terminate_others)

    yield cut
    connection.close()
    pooled: Any = connection
    pooled.close_pool()


def _terminate_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@pytest.fixture
def redis_client() -> Iterator[Redis]:
    """The Redis server of the test run."""
    client = Redis.from_url(REDIS_URL)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _fresh_panels() -> None:
    """Let no test see what the dashboard kept of another one's."""
    dashboard._kept.clear()


@pytest.fixture(autouse=True)
def _at_work() -> Iterator[None]:
    """Let no test inherit a process that is stopping."""
    yield
    stopping.clear()


@pytest.fixture(autouse=True)
def _healthy_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test inherit an outage."""
    monkeypatch.setattr(wake, "_breaker", wake._Breaker())
    for name in ("redis", "rabbitmq", "database"):
        monkeypatch.setattr(outage, name, outage.Outage(name, "..."))


@pytest.fixture
def dead_redis(settings: Any) -> Iterator[Callable[[], None]]:
    """Redis is away; call the fixture's value to have it back."""

    def turn(url: str) -> None:
        settings.REDIS_URL = url
        _broker.cache_clear()

    turn("unix:///nonexistent/yellowbook.sock")
    yield lambda: turn(REDIS_URL)
    turn(REDIS_URL)
