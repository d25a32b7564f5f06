"""`Idempotency-Key` over HTTP, on the three requests that clients send again."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from knox.models import AuthToken
from rest_framework.test import APIClient

from jobs.models import IdempotentRequest, JobExecution, Run
from tests.concurrency import at_once
from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db

CREATE = "/api/yellow-books"
IMPORT = "/api/yellow-books/import"
BULK = "/api/admin/embeddings/bulk"
VALUES = {"name": "Номин", "category": "Ресторан", "address": "Энхтайвны өргөн чөлөө 12"}
CSV = "name,category,address\nНомин,Ресторан,Гудамж 1\n"

Send = Callable[..., Any]


def client_of(name: str) -> APIClient:
    staff = User.objects.create_user(name, is_staff=True)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(staff)[1]}")
    return client


@pytest.fixture
def client() -> APIClient:
    return client_of("bold")


def create(client: APIClient, key: str, **changes: Any) -> Any:
    return client.post(CREATE, {**VALUES, **changes}, headers={"Idempotency-Key": key})


def bulk(client: APIClient, key: str, **changes: Any) -> Any:
    ids = [str(pk) for pk in Business.objects.values_list("pk", flat=True)]
    return client.post(BULK, {"business_ids": ids, **changes}, headers={"Idempotency-Key": key})


def csv(client: APIClient, key: str, more: str = "") -> Any:
    return client.post(IMPORT, CSV + more, content_type="text/csv", headers={"Idempotency-Key": key})


def upload(client: APIClient, key: str, more: str = "") -> Any:
    file = SimpleUploadedFile("list.csv", (CSV + more).encode(), content_type="text/csv")
    return client.post(IMPORT, {"file": file}, format="multipart", headers={"Idempotency-Key": key})


OTHER: dict[Send, dict[str, Any]] = {
    create: {"name": "Nomin"},
    bulk: {"priority": "low"},
    csv: {"more": "b,c,d\n"},
    upload: {"more": "b,c,d\n"},
}


@pytest.mark.parametrize("send", OTHER)
def test_the_same_request_again_gets_the_same_answer_and_does_nothing(client: APIClient, send: Send) -> None:
    create(client, "first")
    before = send(client, "k")
    counts = (Business.objects.count(), JobExecution.objects.count(), Run.objects.count())

    again = send(client, "k")

    assert again.status_code == before.status_code < 300
    assert again.content == before.content
    assert again.get("Location") == before.get("Location")
    assert (before.get("Idempotency-Replayed"), again.get("Idempotency-Replayed")) == (None, "true")
    assert (Business.objects.count(), JobExecution.objects.count(), Run.objects.count()) == counts


@pytest.mark.parametrize("send", OTHER)
def test_another_request_under_the_same_key_is_refused(client: APIClient, send: Send) -> None:
    create(client, "first")
    send(client, "k")
    counts = (Business.objects.count(), Run.objects.count())

    refused = send(client, "k", **OTHER[send])

    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "idempotency_key_reused"
    assert (Business.objects.count(), Run.objects.count()) == counts


def test_the_order_of_fields_and_a_closing_slash_make_no_other_request(client: APIClient) -> None:
    create(client, "k")
    turned = json.dumps(dict(reversed(VALUES.items())))

    again = client.post(f"{CREATE}/", turned, content_type="application/json", headers={"Idempotency-Key": "k"})

    assert again["Idempotency-Replayed"] == "true"


def test_without_a_key_every_request_counts(client: APIClient) -> None:
    assert {client.post(CREATE, VALUES).status_code for _ in range(2)} == {201}
    assert Business.objects.count() == 2


def test_a_request_that_was_refused_may_be_corrected_under_its_key(client: APIClient) -> None:
    assert create(client, "k", category="").status_code == 400
    assert create(client, "k").status_code == 201


def test_a_key_belongs_to_its_caller(client: APIClient) -> None:
    create(client, "k")
    assert create(client_of("dorj"), "k", name="Other").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "ключ", "x" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(client: APIClient, key: str) -> None:
    refused = create(client, key)

    assert refused.status_code == 400
    assert "Idempotency-Key" in refused.json()["error"]["fields"]
    assert not Business.objects.exists()


def test_a_visitor_leaves_no_key(client: APIClient) -> None:
    assert create(APIClient(), "k").status_code == 401
    assert not IdempotentRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_request_five_times_at_once_takes_effect_once() -> None:
    client_of("bold")
    token = AuthToken.objects.create(User.objects.get())[1]

    def send() -> Any:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return create(client, key)

    key = str(uuid.uuid4())
    answers = at_once(*[send] * 5)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 4
    assert Business.objects.count() == 1
    assert JobExecution.objects.count() == 1
