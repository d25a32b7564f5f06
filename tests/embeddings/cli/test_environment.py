"""What `embed_businesses` looks at before it starts: each problem is a line that says what to do, with exit code 2."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from embeddings import current, quota
from jobs import startup
from jobs.models import Lane, Run

from .conftest import embed

pytestmark = pytest.mark.django_db(transaction=True)

Plant = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def _something_to_do(plant: Plant) -> None:
    plant(2)


@pytest.fixture
def fresh_provider() -> Any:
    """Let no provider and no budget of other settings be remembered, before and after."""
    for cached in (current._made, quota._throttle):
        cached.cache_clear()
    yield
    for cached in (current._made, quota._throttle):
        cached.cache_clear()


def check_refused(code: str, message: str, *arguments: str) -> None:
    """Check that it does not start, and how it says why to people and to programs."""
    answer = embed(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    for_programs = embed(*arguments, "--json")
    assert (for_programs.code, for_programs.err) == (2, "")
    assert code in [event["code"] for event in for_programs.events if event["event"] == "error"]
    assert not Run.objects.exists()


def test_without_a_worker_it_offers_to_do_without() -> None:
    check_refused("no_worker", "No worker is alive. Start one with manage.py rundramatiq, or do without: ")
    assert embed().err.strip().endswith("manage.py embed_businesses --inline")


def test_a_database_that_is_away(settings: Any) -> None:
    settings.DATABASE_URL = "postgresql://bold:secret@/yellowbook?host=/nowhere"
    for arguments in ((), ("--status",), ("--stop",), ("--dry-run",), ("--resume",)):
        answer = embed(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("PostgreSQL can't be reached: ")
        assert answer.err.strip().endswith("or check DATABASE_URL.")
        assert "secret" not in answer.err


def test_migrations_that_are_missing(monkeypatch: Any) -> None:
    def missing() -> None:
        raise startup.CannotStart("2 migrations are not applied, beginning with jobs.0001_jobs: run manage.py migrate.")

    monkeypatch.setattr(startup, "check_migrations", missing)
    check_refused("migrations", "run manage.py migrate.", "--status")


def test_redis_that_is_away(settings: Any, worker: None) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    check_refused("redis", "Redis can't be reached: ")
    assert embed("--inline").code == 0, "work here without a budget needs no Redis"


def test_a_provider_without_a_key(settings: Any, worker: None) -> None:
    settings.EMBEDDING_PROVIDER = "gemini"
    check_refused("provider", "EMBEDDING_PROVIDER='gemini' needs a key. Set GEMINI_API_KEY,")


@pytest.mark.usefixtures("fresh_provider")
def test_a_provider_that_can_not_be_reached(settings: Any, worker: None) -> None:
    settings.EMBEDDING_PROVIDER, settings.GEMINI_API_KEY = "gemini", "AIzaSyA-key-of-the-tests-0123456789abcd"
    settings.GEMINI_BASE_URL = "http://127.0.0.1:1"
    check_refused("provider", "The provider says no (network): ")
    assert "AIza" not in embed().err


@pytest.mark.usefixtures("fresh_provider")
def test_a_provider_that_refuses_the_key(settings: Any, worker: None, server: Any) -> None:
    settings.EMBEDDING_PROVIDER, settings.GEMINI_API_KEY = "gemini", "AIzaSyA-key-of-the-tests-0123456789abcd"
    settings.GEMINI_BASE_URL = server.url
    server.standin.keys.revoke(["*"])
    check_refused("provider", "The provider says no (auth): ")
    assert "Check GEMINI_API_KEY." in embed().err


def test_a_lane_that_is_paused_without_an_end(worker: None) -> None:
    Lane.objects.create(kind="generate_embedding", paused_at=timezone.now(), paused_by="bold", pause_reason="lunch")
    check_refused("lane_paused", "The lane is paused by bold: lunch. Resume it in the admin (Lanes)")


def test_a_lane_that_opens_by_itself_is_a_note_only(worker: None) -> None:
    Lane.objects.create(
        kind="generate_embedding",
        paused_at=timezone.now(),
        paused_until=timezone.now() + timedelta(hours=1),
        paused_by="system",
        pause_reason="quota",
    )
    answer = embed("--json")
    assert (answer.code, answer.names) == (0, ["note", "started"])


def test_another_model_than_the_one_in_use() -> None:
    check_refused("model", "To change to it: manage.py switch_model other-1", "--model", "other-1")


def test_a_category_that_nothing_has() -> None:
    check_refused("category", "No business is of the category 'Кафэ'.", "--category", "Кафэ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--status", "--force"), "--status does not go with --force"),
        (("--stop", "--no-skip-existing"), "--stop does not go with --no-skip-existing"),
        (("--resume", "--limit", "3"), "--resume does not go with --limit"),
        (("--dry-run", "--inline"), "--inline does not go with --dry-run"),
        (("--status", "--inline"), "--resume --inline"),
        (("--inline", "--no-follow"), "--inline does not go with --no-follow"),
        (("--limit", "0"), "'0' is not a number from 1 to 2,147,483,647"),
        (("--delay", "3600001"), "'3600001' is not a number from 0 to 3,600,000"),
        (("--batch-size", "many"), "'many' is not a number from 1 to 10,000"),
        (("--resume-from", "7"), "'7' is not the id of a business"),
        (("--status", "--stop"), "not allowed with"),
    ],
)
def test_options_that_make_no_sense(arguments: tuple[str, ...], message: str) -> None:
    answer = embed(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
