"""Dead letters as files."""

import csv
import io
import json

import pytest
from django.test import Client
from django.urls import reverse

from jobs.errors import NotFound, ServerError
from jobs.kinds import Kind
from tests.jobs.admin.support import bury

from .conftest import MakePerson

pytestmark = pytest.mark.django_db


def download(client: Client, name: str, query: str = "") -> str:
    response = client.get(reverse(f"admin:deadletters_{name}") + query)
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith('attachment; filename="dead-letters.')
    return b"".join(response).decode()


def test_csv_has_a_row_for_each_letter_that_matches_the_filter(viewer: Client, kind: Kind) -> None:
    bury(kind, "a", "b", error=NotFound('Хатгал, "кэмп"'))
    bury(kind, "c", error=ServerError("busy"))
    rows = list(csv.DictReader(io.StringIO(download(viewer, "csv", "?error_class=not_found").lstrip("\ufeff"))))
    assert [(row["subject"], row["failure_reason"]) for row in rows] == [
        ("a", 'Хатгал, "кэмп"'),
        ("b", 'Хатгал, "кэмп"'),
    ]


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)"])
def test_text_from_outside_is_no_formula_of_a_spreadsheet(viewer: Client, kind: Kind, text: str) -> None:
    bury(kind, "a", error=NotFound(text))
    [row] = csv.DictReader(io.StringIO(download(viewer, "csv").lstrip("\ufeff")))
    assert row["failure_reason"] == f"'{text}"


def test_json_has_payload_and_stack_too(viewer: Client, kind: Kind) -> None:
    [letter] = bury(kind, "a", stack="line 1")
    [line] = download(viewer, "json").splitlines()
    told = json.loads(line)
    assert told["job_id"] == str(letter.job_id) == told["payload"]["job_id"]
    assert told["error_details"]["stack"] == "line 1"


def test_more_than_one_chunk_is_complete(viewer: Client, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.admin.export.CHUNK", 2)
    bury(kind, *"abcde")
    assert len(download(viewer, "json").splitlines()) == 5


def test_it_is_for_those_who_may_see_the_list(person: MakePerson, viewer: Client, kind: Kind) -> None:
    stranger = person("stranger", "view_lane")
    for name in ("csv", "json"):
        assert stranger.get(reverse(f"admin:deadletters_{name}")).status_code == 403
        assert viewer.post(reverse(f"admin:deadletters_{name}")).status_code == 405
    assert viewer.get(reverse("admin:deadletters_csv") + "?nonsense=1").status_code == 400
