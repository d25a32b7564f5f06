"""Keys of requests, without HTTP."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from jobs import idempotency
from jobs.models import IdempotentRequest, Lane
from tests.concurrency import Session, until_blocked

REQUEST = {"caller": "bold", "path": "POST /api/x", "key": "k1"}


def ask(content: str = "a", **changes: str) -> bool:
    """Do something once; return whether it was a replay."""
    with idempotency.once(**{**REQUEST, **changes}, content_hash=content) as answer:
        if not answer.replayed:
            Lane.objects.get_or_create(kind="effect")
            answer.keep(status_code=201, body='{"made": 1}', location="/x/1")
        return answer.replayed


@pytest.mark.django_db
def test_a_second_request_is_told_the_first_ones_answer() -> None:
    assert ask() is False
    with idempotency.once(**REQUEST, content_hash="a") as answer:
        assert answer.replayed
        assert (answer.row.status_code, answer.row.body, answer.row.location) == (201, '{"made": 1}', "/x/1")


@pytest.mark.django_db
def test_other_content_under_a_used_key_is_refused() -> None:
    ask()
    with pytest.raises(idempotency.OtherContent):
        ask("b")


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"caller": "dorj"}, {"path": "POST /api/y"}, {"key": "k2"}])
def test_keys_of_other_callers_and_paths_are_other_keys(other: dict[str, str]) -> None:
    ask()
    assert ask("b", **other) is False


@pytest.mark.django_db(transaction=True)
def test_a_request_that_failed_leaves_nothing_and_may_be_sent_again() -> None:
    def fail() -> None:
        with idempotency.once(**REQUEST, content_hash="a"):
            Lane.objects.create(kind="effect")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert not IdempotentRequest.objects.exists()
    assert not Lane.objects.exists()
    assert ask("b") is False


@pytest.mark.django_db
def test_an_answer_is_forgotten_after_a_day() -> None:
    ask()
    IdempotentRequest.objects.update(created_at=F("created_at") - timedelta(seconds=idempotency.KEEP + 1))

    assert ask("b") is False
    assert ask("b") is True


@pytest.mark.django_db(transaction=True)
def test_a_request_waits_for_its_twin_and_then_replays_it(session: Callable[[], Session]) -> None:
    first, second = session(), session()
    first.begin()
    assert first.do(ask) is False
    waiting = second.start(ask)
    until_blocked(waiting)

    first.commit()

    assert waiting.result(10) is True


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_twin_fails_does_the_work_itself(session: Callable[[], Session]) -> None:
    first, second = session(), session()
    first.begin()
    assert first.do(ask) is False
    waiting = second.start(ask)
    until_blocked(waiting)

    first.rollback()

    assert waiting.result(10) is False


@pytest.mark.django_db(transaction=True)
def test_waiting_for_a_twin_has_an_end(session: Callable[[], Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE", 0.1)
    first, second = session(), session()
    first.begin()
    first.do(ask)

    with pytest.raises(idempotency.UnderWay):
        second.do(ask)
