import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from jobs.models import JobExecution, Run
from yellowbook.directory.api import imports
from yellowbook.directory.models import Business

from .conftest import values

pytestmark = pytest.mark.django_db

URL = "/api/yellow-books/import"
CSV = "name,category,address,email\nНомин,Ресторан,Гудамж 1,\nBad,Hotel,Street 2,nope\n"
JSONL = json.dumps(values()) + "\n" + json.dumps(values(name="Nomin", price_level=9)) + "\n"


def send(client: APIClient, body: str | bytes, media_type: str) -> Any:
    return client.post(URL, body, content_type=media_type)


def upload(client: APIClient, name: str, content: str, media_type: str = "application/octet-stream") -> Any:
    file = SimpleUploadedFile(name, content.encode(), content_type=media_type)
    return client.post(URL, {"file": file}, format="multipart")


@pytest.mark.parametrize("media_type", ["text/csv", "text/csv; charset=utf-8", "Text/CSV"])
def test_a_body_of_csv_is_imported(editor: APIClient, staff: User, media_type: str) -> None:
    response = send(editor, CSV, media_type)

    assert response.status_code == 202
    run = Run.objects.get()
    assert (run.total, run.requested_by, run.source) == (1, staff.username, "api")
    assert response.json() == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "duplicates": 0,
        "rejected": [{"row": 3, "errors": {"email": ["Enter a valid email address."]}}],
        "ignored_columns": [],
        "run_id": str(run.id),
    }
    [job] = JobExecution.objects.all()
    assert job.run == run
    assert (job.metadata["triggered_by"], job.metadata["source"]) == (staff.username, "api")


def test_a_body_of_json_lines_is_imported(editor: APIClient) -> None:
    body = send(editor, JSONL, "application/x-ndjson").json()

    assert (body["created"], [rejected["row"] for rejected in body["rejected"]]) == (1, [2])


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("b.csv", CSV, "application/vnd.ms-excel"),
        ("B.CSV", CSV, "application/octet-stream"),
        ("b.jsonl", JSONL, "application/octet-stream"),
        ("b.ndjson", JSONL, "application/octet-stream"),
        ("b", CSV, "text/csv"),
        ("b.txt", JSONL, "application/x-ndjson"),
    ],
)
def test_an_uploaded_file_is_imported(editor: APIClient, name: str, content: str, media_type: str) -> None:
    response = upload(editor, name, content, media_type)

    assert response.status_code == 202, response.content
    assert response.json()["created"] == 1


def test_the_path_may_end_in_a_slash(editor: APIClient) -> None:
    assert editor.post(f"{URL}/", CSV, content_type="text/csv").status_code == 202


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        ("", "text/csv", 400),
        ("a,b\n1,2\n", "text/csv", 400),
        (b"\xff\xfe\x00", "text/csv", 400),
        ("", "application/x-ndjson", 400),
        ("{}", "application/json", 415),
        ("a=b", "application/x-www-form-urlencoded", 415),
        ("x", "multipart/form-data; boundary=x", 400),
        ("x", "multipart/form-data", 400),
    ],
)
def test_what_is_no_import_is_refused_in_the_envelope(
    editor: APIClient, body: str | bytes, media_type: str, status: int
) -> None:
    response = send(editor, body, media_type)

    assert response.status_code == status, response.content
    assert response.json()["error"]["message"]
    assert not Business.objects.exists()


def test_a_file_of_unknown_kind_or_no_file_is_refused(editor: APIClient) -> None:
    unknown = upload(editor, "b.xlsx", "PK")
    missing = editor.post(URL, {"other": "x"}, format="multipart")

    assert unknown.json()["error"]["fields"] == {"file": ["Send a .csv or .jsonl file."]}
    assert missing.json()["error"]["fields"].keys() == {"file"}


def test_too_many_rows_are_refused_and_none_of_them_written(editor: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_ROWS", 2)
    rows = "".join(json.dumps(values(name=str(n))) + "\n" for n in range(3))

    response = send(editor, rows, "application/x-ndjson")

    assert response.status_code == 413
    assert response.json()["error"]["message"] == "The file has more than 2 rows: split it."
    assert not Business.objects.exists()


def test_too_many_bytes_are_refused(editor: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_BYTES", 20)

    assert send(editor, CSV, "text/csv").status_code == 413


def test_a_body_larger_than_other_requests_may_be_is_streamed(editor: APIClient) -> None:
    rows = "".join(json.dumps(values(name=str(n), description="ө" * 19_000)) + "\n" for n in range(60))
    assert len(rows) > 5 * 1024 * 1024

    assert send(editor, rows, "application/x-ndjson").json()["created"] == 60


@pytest.mark.parametrize("value", ["\ud800", "\x00", "x" * 100_000, "\x1b[31m"])
def test_what_is_no_text_is_rejected_with_its_row(editor: APIClient, value: str) -> None:
    row = json.dumps(dict.fromkeys(["name", "description", "status", "latitude", "\ud800"], value))

    response = send(editor, row, "application/x-ndjson")

    assert response.status_code == 202, response.content
    [rejected] = response.json()["rejected"]
    assert rejected["errors"].keys() == {"name", "description", "status", "latitude"}


def test_only_staff_imports(visitor: APIClient) -> None:
    assert send(visitor, CSV, "text/csv").status_code == 401
    assert visitor.get(URL).status_code == 401
    assert not Business.objects.exists()
