"""A key that a provider's error carries reaches no row, no log, no answer and no page, whatever form it has."""

import contextlib
import io
import json
import logging
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import httpx2
import pytest
import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from knox.models import AuthToken
from rest_framework.test import APIClient

from embeddings import generate
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding, ProviderUsage
from embeddings.providers.base import Provider, TaskType
from jobs import selectors
from jobs.errors import AuthError, BadResponse, BatchRejected, InvalidInput, QuotaExhausted, ServerError
from jobs.execute import run_lane
from jobs.models import Attempt, DeadLetter, JobExecution, Lane, Lease, Run
from yellowbook.directory.models import Business
from yellowbook.log import configure

pytestmark = pytest.mark.django_db

#: Nothing but the words around it tells that it is a secret.
keys = st.text(string.ascii_letters + string.digits + "_-", min_size=20, max_size=40).filter(
    lambda key: key.strip("-_") and not key.startswith("-")
)
KEY = "Zx81-unlikely_Key-0123456789"


class Call:
    """What an SDK keeps of a request, and shows."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __repr__(self) -> str:
        return f"Call(headers={{'x-goog-api-key': {self.key!r}}}, url='https://host/v1?key={self.key}&alt=json')"


class Unreadable(Exception):
    """Fails when it is asked what happened."""

    def __str__(self) -> str:
        raise ValueError(f"password={self.args[0]}")


def chained(key: str) -> NoReturn:
    try:
        try:
            raise KeyError({"x-goog-api-key": key})
        except KeyError as error:
            raise ConnectionError(f"https://host/v1beta/models?key={key}") from error
    except ConnectionError as error:
        raise RuntimeError("The call failed.") from error


def during_another(key: str) -> NoReturn:
    try:
        raise ValueError(Call(key))
    except ValueError:
        raise RuntimeError("And then this.")  # noqa: B904


def grouped(key: str) -> NoReturn:
    raise ExceptionGroup(
        "several",
        [ValueError(f"Bearer {key}"), ExceptionGroup("more", [RuntimeError([(b"x-goog-api-key", key.encode())])])],
    )


def noted(key: str) -> NoReturn:
    error = RuntimeError("refused")
    error.add_note(f"Authorization: Bearer {key}")
    error.add_note(f"authorization={key}")
    raise error


def cause_of_a_known_error(key: str) -> NoReturn:
    try:
        raise ValueError(f"api_key={key}")
    except ValueError as error:
        raise ServerError(f"busy: {error}", status_code=503) from error


def raising(error: Exception) -> NoReturn:
    raise error


FORMS: dict[str, Callable[[str], NoReturn]] = {
    "chained": chained,
    "during another": during_another,
    "grouped": grouped,
    "noted": noted,
    "cause of a known error": cause_of_a_known_error,
    "unreadable": lambda key: raising(Unreadable(key)),
    "arguments": lambda key: raising(OSError(5, f"token={key}", "https://host", None, {"password": key})),
    "pair": lambda key: raising(ValueError(("x-goog-api-key", key), {"api_key": key.encode()})),
    "object": lambda key: raising(ValueError(Call(key))),
    "json in json": lambda key: raising(ValueError(json.dumps(json.dumps({"error": {"api_key": key}})))),
    "answer": lambda key: raising(BadResponse("not JSON", sample=json.dumps({"apiKey": key}))),
    "quota": lambda key: raising(QuotaExhausted(f"key={key}", status_code=429, quota_id=f"PerDay key={key}")),
    "refused": lambda key: raising(AuthError(f"API key not valid: 'x-goog-api-key': {key!r}", status_code=400)),
    "rejected": lambda key: raising(BatchRejected(f"access_token: {key}", status_code=400)),
    "invalid": lambda key: raising(InvalidInput(f"secret={key}")),
    "message that is none": lambda key: raising(ServerError(ValueError(f"pwd={key}"))),  # type: ignore[arg-type]
    "address": lambda key: raising(httpx2.ConnectError(f"redis://:{key}@host:6379/0 and https://me:{key}@host/path")),
    "connection": lambda key: raising(OSError(f"host=db user=me password='{key}' dbname=x")),
    "in an address": lambda key: raising(OSError(f"GET /v1?key%3D{key} failed")),
    "command": lambda key: raising(OSError(f"curl --api-key {key} -H 'x-goog-api-key: {key}'")),
    "cookie": lambda key: raising(OSError(f"Cookie: sessionid={key}; csrftoken={key}")),
    "request": lambda key: raising(
        ValueError(list(httpx2.Request("GET", "https://host", headers={"x-goog-api-key": key}).headers.raw))
    ),
}


class Careless(Provider):
    """A provider that tells all in its errors."""

    name = "careless"
    max_batch = 100
    max_tokens = 2048
    default_model = "careless-1"

    def __init__(self, fail: Callable[[], NoReturn]) -> None:
        super().__init__(model="careless-1", timeout=1)
        self.fail = fail

    def embed(self, texts: Sequence[str], task: TaskType) -> NoReturn:
        """Fail."""
        self.fail()


@contextlib.contextmanager
def all_logs() -> Iterator[list[io.StringIO]]:
    """Collect what every logger writes, as it is rendered on a terminal and elsewhere."""
    root, level, streams = logging.getLogger(), logging.getLogger().level, [io.StringIO(), io.StringIO()]
    handlers = []
    for as_json, stream in zip((True, False), streams, strict=True):
        made = configure(level="DEBUG", as_json=as_json)["formatters"]["structured"]
        handler = logging.StreamHandler(stream)
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                processors=made["processors"], foreign_pre_chain=made["foreign_pre_chain"]
            )
        )
        root.addHandler(handler)
        handlers.append(handler)
    root.setLevel("DEBUG")
    try:
        yield streams
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)


def fail_a_job(form: str, key: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the only try of a new business's job fail in one of the ways; return all that was logged."""
    monkeypatch.setattr(generate, "current_provider", lambda: Careless(lambda: FORMS[form](key)))
    Business.objects.create(name="Номин", category="Cafe", address="Here")
    JobExecution.objects.update(max_retries=0)
    with all_logs() as streams:
        assert run_lane(GENERATE_EMBEDDING)
    return "".join(stream.getvalue() for stream in streams)


def all_rows() -> str:
    """Return everything that a failed job may have left."""
    models = (JobExecution, Attempt, DeadLetter, Lane, Lease, Run, ProviderUsage, Embedding)
    return json.dumps([list(model.objects.values()) for model in models], default=str, ensure_ascii=False)


@pytest.mark.parametrize("form", FORMS)
def test_no_row_and_no_log_holds_the_key(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @settings(max_examples=10)
    @given(keys)
    def law(key: str) -> None:
        with transaction.atomic():
            logged = fail_a_job(form, key, monkeypatch)
            kept = all_rows()
            assert form == "rejected" or Attempt.objects.exists()
            transaction.set_rollback(True)
        assert key not in kept
        assert key not in logged
        assert "job_failed" in logged or "lane_paused" in logged

    law()


@pytest.mark.parametrize("form", FORMS)
def test_no_answer_and_no_page_holds_the_key(form: str, monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    fail_a_job(form, KEY, monkeypatch)
    job = JobExecution.objects.get()
    letter = DeadLetter.objects.get()
    api = APIClient()
    api.credentials(
        HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(User.objects.create_user('b', is_staff=True))[1]}"
    )
    clients: list[tuple[Client, list[str]]] = [
        (
            api,
            [
                f"/api/admin/{path}"
                for path in ("jobs", f"jobs/{job.id}", "dlq", f"dlq/{job.id}", "dlq/causes", "lanes")
            ],
        ),
        (
            admin_client,
            [
                reverse("admin:jobs_jobexecution_changelist"),
                reverse("admin:jobs_jobexecution_change", args=[job.pk]),
                reverse("admin:jobs_deadletter_changelist"),
                reverse("admin:jobs_deadletter_change", args=[letter.pk]),
                reverse("admin:jobs_lane_changelist"),
                reverse("admin:directory_business_change", args=[job.subject]),
            ],
        ),
    ]
    for client, paths in clients:
        for path in paths:
            response = client.get(path)
            assert response.status_code == 200, path
            assert KEY not in response.content.decode(), path


def test_an_error_of_a_view_tells_the_key_to_nobody(monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    monkeypatch.setattr(selectors, "lanes", lambda: grouped(KEY))
    admin_client.raise_request_exception = False

    with all_logs() as streams:
        response = admin_client.get(f"/api/admin/lanes?key={KEY}", HTTP_X_GOOG_API_KEY=KEY)

    assert response.status_code == 500
    assert response.json()["error"]["code"] == "server_error"
    assert all("several" in stream.getvalue() for stream in streams), "the traceback is there"
    assert all(KEY not in stream.getvalue() for stream in streams)


@pytest.mark.parametrize(
    "told",
    [
        {"headers": {"x-goog-api-key": KEY}},
        {"headers": {"Authorization": f"Bearer {KEY}"}},
        {"headers": [("Authorization", KEY)]},
        {"headers": [(b"x-goog-api-key", KEY.encode())]},
        {"api_key": KEY},
        {"password": [KEY]},
        {"token": KEY.encode()},
        {"call": Call(KEY)},
        {"error": ValueError(f"key={KEY}")},
        {"deep": {"er": [{"url": f"https://host?key={KEY}"}]}},
        {f"key={KEY}": 1},
    ],
    ids=lambda told: repr(told)[:40],
)
def test_a_log_event_loses_its_secrets_however_deep_they_are(told: dict[str, Any]) -> None:
    with all_logs() as streams:
        structlog.get_logger("test").warning("told", **told, jobs=3, ids=["a"])
        logging.getLogger("library").warning("told %s", told)
        logging.getLogger("library").warning("told %(headers)s", {"headers": f"token: {KEY}"})

    for stream in streams:
        assert stream.getvalue().count("told") >= 3
        assert KEY not in stream.getvalue()
    first = json.loads(streams[0].getvalue().splitlines()[0])
    assert (first["jobs"], first["ids"], first["event"]) == (3, ["a"], "told")
