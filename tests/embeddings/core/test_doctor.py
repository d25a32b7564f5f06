"""What the doctor says of the provider."""

import pytest

from embeddings import doctor
from embeddings.doctor import _answers, _provider
from jobs.errors import AuthError, RateLimited
from jobs.upkeep.examination import Diagnosis

pytestmark = pytest.mark.django_db

KEY = "AIzaSyA-key-of-the-tests-0123456789abcd"


def said(seen: Diagnosis) -> tuple[str, str]:
    return seen.state.value, f"{seen.says}. {seen.todo}"


def test_one_without_need_of_a_key_is_in_order(settings) -> None:
    settings.EMBEDDING_PROVIDER, settings.EMBEDDING_MODEL = "local", ""
    state, says = said(_provider())
    assert state == "ok"
    assert "needs no key" in says


def test_a_missing_key_is_a_problem_and_one_that_is_there_is_not_told(settings) -> None:
    settings.EMBEDDING_PROVIDER, settings.EMBEDDING_MODEL, settings.GEMINI_API_KEY = "gemini", "", ""
    state, says = said(_provider())
    assert state == "problem"
    assert "GEMINI_API_KEY" in says
    settings.GEMINI_API_KEY = KEY
    state, says = said(_provider())
    assert state == "ok"
    assert "gemini-embedding-001" in says
    assert KEY not in says


def test_another_address_is_told_without_the_address(settings) -> None:
    settings.EMBEDDING_PROVIDER, settings.GEMINI_API_KEY = "gemini", KEY
    settings.GEMINI_BASE_URL = "http://user:secret@127.0.0.1:9090"
    state, says = said(_provider())
    assert (state, "secret" in says, "GEMINI_BASE_URL" in says) == ("ok", False, True)


def test_an_sdk_that_is_not_installed_is_a_problem(settings, monkeypatch) -> None:
    def missing(name: str) -> None:
        raise ImportError("No module named 'google'")

    monkeypatch.setattr(doctor, "provider_class", missing)
    assert said(_provider())[0] == "problem"


@pytest.fixture
def answering(provider, monkeypatch, db):
    """The provider in use, as the doctor finds it."""
    monkeypatch.setattr(doctor, "current_provider", lambda: provider)
    return provider


def test_a_provider_that_answers_is_in_order(answering, monkeypatch) -> None:
    monkeypatch.setattr(type(answering), "needs_key", False)
    assert said(_answers())[0] == "ok"
    assert answering.calls == [["yellow book"]], "one text"


@pytest.mark.parametrize(("error", "state"), [(RateLimited("no budget"), "warning"), (AuthError("refused"), "problem")])
def test_one_that_refuses_is_told_apart_from_one_that_is_busy(answering, monkeypatch, error, state) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(doctor, "probe", refuse)
    seen = said(_answers())
    assert seen[0] == state
    assert error.message in seen[1]
