"""What no request should look like: answered clearly, in the envelope, and nothing is written."""

import io
import json
from base64 import urlsafe_b64encode
from typing import Any
from uuid import UUID

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from jobs.api.middleware import ReadableBodyMiddleware
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.models import DeadLetter, JobExecution, Lane, Run
from tests.jobs.support import NOBODY, claimed, end, put

from .conftest import error_of

pytestmark = pytest.mark.django_db
BULK = "/api/admin/embeddings/bulk"
ONE = "/api/admin/embeddings/generate-one"
ALL = "/api/admin/embeddings/generate-all"
RETRY = "/api/admin/dlq/retry"
JSON = "application/json"

DEEP = "[" * 600 + "]" * 600
HALF = '"\\ud800"'


@pytest.fixture
def letter(kind: Kind) -> DeadLetter:
    """A dead letter that nobody has settled."""
    end(claimed(kind, "a"), NotFound("gone"))
    return DeadLetter.objects.get()


def writes(letter: DeadLetter) -> list[str]:
    """Return the paths that take a body."""
    lane = f"/api/admin/lanes/{letter.kind}/pause"
    return [BULK, ONE, ALL, RETRY, lane, f"/api/admin/dlq/{letter.job_id}/resolve"]


def rows() -> tuple[Any, ...]:
    """Return all that a request could have written."""
    return (
        list(JobExecution.objects.order_by("id").values_list("id", "status")),
        list(DeadLetter.objects.values_list("id", "resolution", "note")),
        list(Lane.objects.values_list("kind", "paused_at")),
        Run.objects.count(),
    )


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\x00", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        ('{"note": "х"}'.encode("utf-16"), "UTF-8"),
        ('{"note": "х"}'.encode("utf-32"), "UTF-8"),
        (b'{"note": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"note": "a", "note": "b"}', "twice"),
        (b'{"note": NaN}', "NaN"),
        (b'{"note": Infinity}', "Infinity"),
        (b'{"note": ' + b"1" * 5000 + b"}", "not JSON"),
        (b"[" * 100_000, "deeply"),
        (f'{{"priority": {DEEP}, "error_class": {DEEP}}}'.encode(), "deeply"),
        (b"{}{}", "not JSON"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_broken_json_is_refused_on_every_path_and_nothing_is_written(api, letter, body, part) -> None:
    before = rows()
    for path in writes(letter):
        # An empty body is no body to the framework: the paths where all is optional take that.
        answer = api.generic("POST", path, body or b" ", JSON)
        assert part in error_of(answer, 400)["message"], path
    assert rows() == before


@pytest.mark.parametrize("body", ["null", "[]", "7", "true", '"text"', HALF])
def test_json_that_is_no_object_is_refused_on_every_path(api, letter, body) -> None:
    before = rows()
    for path in writes(letter):
        error_of(api.generic("POST", path, body, JSON), 400)
    assert rows() == before


def test_json_may_begin_with_a_byte_order_mark(api, letter) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"note": "settled"}).encode()
    assert api.generic("POST", f"/api/admin/dlq/{letter.job_id}/resolve", body, JSON).json()["note"] == "settled"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (BULK, {"business_ids": ["\ud800"]}, "business_ids"),
        (BULK, {"business_ids": [NOBODY.urn]}, "business_ids"),
        (BULK, {"business_ids": [f"{{{NOBODY}}}"]}, "business_ids"),
        (BULK, {"business_ids": [str(NOBODY)], "priority": "\ud800"}, "priority"),
        (BULK, {"business_ids": [str(NOBODY) + "\x00"]}, "business_ids"),
        (ALL, {"dry_run": 0}, "dry_run"),
        (ALL, {"dry_run": "false"}, "dry_run"),
        (ALL, {"force": 1}, "force"),
        (ALL, {"limit": "5"}, "limit"),
        (ALL, {"limit": True}, "limit"),
        (ALL, {"limit": 10**40}, "limit"),
        (ALL, {"batch_size": 1.5}, "batch_size"),
        (ALL, {"category": 7}, "category"),
        (ALL, {"category": "\x00"}, "category"),
        (ALL, {"resume_from": "\ud800"}, "resume_from"),
        (ONE, {"business_id": "\ud800"}, "business_id"),
        (ONE, {"business_id": "../../etc/passwd"}, "business_id"),
        (RETRY, {"job_ids": [7]}, "job_ids"),
        (RETRY, {"job_ids": ["\ud800"]}, "job_ids"),
        (RETRY, {"job_ids": [str(NOBODY)] * 10_001}, "job_ids"),
        (RETRY, {"kind": 7}, "kind"),
        (RETRY, {"kind": "a\x00"}, "kind"),
        (RETRY, {"kind": "\ud800"}, "kind"),
        (RETRY, {"error_class": "\ud800"}, "error_class"),
        (RETRY, {"error_class": {"a": [1]}}, "error_class"),
        (RETRY, {"fingerprint": ["a"]}, "fingerprint"),
        (RETRY, {"kind": "x", "dry_run": "yes"}, "dry_run"),
        (RETRY, {"kind": "x", "dry_run": None}, "dry_run"),
        (RETRY, {"dry_run": True}, "non_field_errors"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_written(api, letter, path, body, field) -> None:
    before = rows()
    assert list(error_of(api.generic("POST", path, json.dumps(body), JSON), 400)["fields"]) == [field]
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "a\x00"}, "reason"),
        ({"reason": "\ud800"}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": None}, "reason"),
        ({"until": 7}, "until"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "2026-01-31"}, "until"),
        ({"until": "2026-01-31T12:00:00"}, "until"),
        ({"until": "2026-02-31T12:00:00Z"}, "until"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "until"),
        ({"until": "9999-12-31T23:59:59-12:00"}, "until"),
        ({"until": "2026-01-31T12:00:00Z\x00"}, "until"),
        ({"until": "٢٠٢٦-01-31T12:00:00Z"}, "until"),
    ],
)
def test_a_lane_is_not_paused_by_a_wrong_request(api, kind: Kind, body, field) -> None:
    path = f"/api/admin/lanes/{kind.name}/pause"
    assert list(error_of(api.generic("POST", path, json.dumps(body), JSON), 400)["fields"]) == [field]
    assert not Lane.objects.exists()


def test_a_pause_until_a_moment_of_any_time_zone_ends_at_that_moment(api, kind: Kind) -> None:
    body = {"until": "2999-01-31T12:00:00.5-17:30", "reason": "<b>‏ =1+1 ../ 😀"}
    told = api.post(f"/api/admin/lanes/{kind.name}/pause", body).json()
    assert (told["paused_until"], told["pause_reason"]) == ("2999-02-01T05:30:00.500000Z", body["reason"])


@pytest.mark.parametrize("name", ["nonsense", "..%2f..%2fetc", "%00", "%0a", "%ff", "%F0%9F%98%80", "x" * 3000])
@pytest.mark.parametrize("what", ["pause", "resume"])
def test_a_lane_of_no_kind_is_a_404(api, name, what) -> None:
    error_of(api.post(f"/api/admin/lanes/{name}/{what}"), 404)
    assert not Lane.objects.exists()


@pytest.mark.parametrize("path", ["jobs/{}", "jobs/{}/cancel", "dlq/{}", "dlq/retry/{}", "dlq/{}/resolve"])
@pytest.mark.parametrize("name", ["1", "%00", "..%2f", "null,null", "a%0Ab", "%0a", "-1", "9" * 400])
def test_what_is_no_id_in_a_path_is_a_404_in_the_envelope(path, name) -> None:
    """Also for whoever sends no CSRF token: the page of last resort would be Django's own, in HTML."""
    strict = Client(enforce_csrf_checks=True)
    for method in ("get", "post", "delete"):
        answer = getattr(strict, method)(f"/api/admin/{path.format(name)}")
        assert answer.status_code in {401, 404}
        error_of(answer, answer.status_code)


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("jobs", "status=gone", "status"),
        ("jobs", "kind=%00", "kind"),
        ("jobs", "business_id=1", "business_id"),
        ("jobs", f"business_id={NOBODY.urn}", "business_id"),
        ("jobs", f"run_id={NOBODY}%00", "run_id"),
        ("jobs", "run_id=" + "9" * 5000, "run_id"),
        ("jobs", "priority=0", "priority"),
        ("jobs", "since=yesterday", "since"),
        ("jobs", "since=2026-01-31T12:00:00", "since"),
        ("jobs", "since=9842-08-12T18:15:02.84955-77:23", "since"),
        ("jobs", "since=9999-12-31T23:59:59-17:23", "since"),
        ("jobs", "since=0001-01-01T00:00:00%2B14:00", "since"),
        ("jobs", "ordering=nonsense", "ordering"),
        ("jobs", "ordering=created_at,finished_at", "ordering"),
        ("jobs", "ordering=--created_at", "ordering"),
        ("jobs", "ordering=pk", "ordering"),
        ("jobs", "page_size=0", "page_size"),
        ("jobs", "page_size=501", "page_size"),
        ("jobs", "page_size=-1", "page_size"),
        ("jobs", "page_size=1e2", "page_size"),
        ("jobs", "page_size=" + "9" * 5000, "page_size"),
        ("jobs", "page_size=%D9%A1", "page_size"),
        ("dlq", "resolved=perhaps", "resolved"),
        ("dlq", "resolved=2", "resolved"),
        ("dlq", "error_class=gone", "error_class"),
        ("dlq", "fingerprint=%00", "fingerprint"),
        ("runs", "fed=-58800", "fed"),
        ("runs", "fed=1", "fed"),
        ("runs", "state=gone", "state"),
        ("workers", "state=gone", "state"),
        ("workers", "host=%00", "host"),
    ],
)
def test_a_wrong_parameter_is_named_instead_of_being_ignored(api, path, query, field) -> None:
    assert list(error_of(api.get(f"/api/admin/{path}?{query}"), 400)["fields"]) == [field]


@pytest.mark.parametrize(
    "query", ["status=", "kind=", "since=", "run_id=", "business_id=", "ordering=", "page_size=", "cursor=", "format=x"]
)
def test_an_empty_parameter_counts_as_not_given(api, kind: Kind, query) -> None:
    job = put(kind, "a", "queued")
    assert [row["job_id"] for row in api.get(f"/api/admin/jobs?{query}").json()["results"]] == [str(job.id)]


def test_since_takes_any_time_zone_that_python_takes(api, kind: Kind) -> None:
    put(kind, "a", "queued")
    assert api.get("/api/admin/jobs?since=1999-08-12T18:15:02.84955-17:23").json()["results"]


def cursor_of(*parts: Any) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


NOW, KEY = "2026-01-31T12:00:00+00:00", str(UUID(int=1))


@pytest.mark.parametrize(
    ("path", "cursor"),
    [
        ("/api/yellow-books", cursor_of("a\x00", KEY, False)),
        ("/api/yellow-books", cursor_of("\ud800", KEY, False)),
        ("/api/yellow-books", cursor_of("a", "\x00", False)),
        ("/api/yellow-books", cursor_of("a", 10**400, False)),
        ("/api/admin/workers", cursor_of(NOW, "\x00", False)),
        ("/api/admin/workers", cursor_of(NOW, "\ud800", False)),
        ("/api/admin/workers", cursor_of("2026-01-31", "w", False)),
        ("/api/admin/workers", cursor_of("2026-01-31T12:00:00", "w", False)),
        ("/api/admin/workers", cursor_of("9999-12-31T23:59:59-17:23", "w", False)),
        ("/api/admin/workers", cursor_of({"a": 1}, "w", False)),
        ("/api/admin/dlq", cursor_of(NOW, "9" * 5000, False)),
        ("/api/admin/jobs", cursor_of(NOW, KEY)),
        ("/api/admin/jobs", cursor_of(NOW, 10**40, False)),
        ("/api/admin/jobs", "ө"),
        ("/api/admin/jobs", "%00"),
        ("/api/admin/jobs", "/w"),
        ("/api/admin/jobs", "W" * 5000),
    ],
)
def test_a_cursor_that_no_page_gave_out_leads_nowhere(api, path, cursor) -> None:
    error_of(api.get(f"{path}?cursor={cursor}"), 404)


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "nonsense", "a/b;q=", "\xff", "application/json;q=2"]
)
def test_an_odd_accept_header_is_answered_in_json(api, accept) -> None:
    answer = api.get("/api/admin/lanes", HTTP_ACCEPT=accept)
    assert answer["Content-Type"] == JSON
    assert answer.status_code in {200, 406}


@pytest.mark.parametrize(
    "media_type", ["application/xml", "text/plain", "", "nonsense", "multipart/form-data", "a/b; c", "text/csv", "\xff"]
)
def test_a_body_of_another_type_is_a_415_on_every_path(api, letter, media_type) -> None:
    before = rows()
    for path in writes(letter):
        error_of(api.generic("POST", path, b"<x/>", media_type), 415)
    assert rows() == before


def request_of(method: str = "POST", path: str = BULK, body: bytes = b"abc", **environ: Any) -> WSGIRequest:
    """Return a request whose body is there whatever its headers say, as servers hand it on."""
    bare = {name: value for name, value in RequestFactory().generic(method, path).environ.items() if value is not None}
    bare.pop("CONTENT_LENGTH", None)
    return WSGIRequest({**bare, "wsgi.input": io.BytesIO(body), **environ})


class TestBody:
    """What is refused before any view: `ReadableBodyMiddleware`."""

    def answer(self, request: WSGIRequest) -> Any:
        from django.http import HttpResponse

        return ReadableBodyMiddleware(lambda _: HttpResponse(status=204))(request)

    @pytest.mark.parametrize(
        "environ",
        [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"SERVER_PROTOCOL": "HTTP/2"}],
    )
    def test_one_without_a_length_is_not_taken_for_an_empty_one(self, environ) -> None:
        assert self.answer(request_of(**environ)).status_code == 411

    def test_a_request_without_a_body_needs_no_length(self) -> None:
        assert self.answer(request_of(body=b"", SERVER_PROTOCOL="HTTP/2")).status_code == 204
        assert self.answer(request_of()).status_code == 204
        assert self.answer(request_of("GET", HTTP_TRANSFER_ENCODING="chunked")).status_code == 204

    @pytest.mark.parametrize("length", ["abc", "-1", "1.5", "٣", "+3"])
    def test_a_length_that_is_none_is_a_400(self, length) -> None:
        assert self.answer(request_of(CONTENT_LENGTH=length)).status_code == 400

    @pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "deflate, gzip", "nonsense"])
    def test_a_compressed_one_is_a_415_that_says_so(self, encoding) -> None:
        answer = self.answer(request_of(CONTENT_LENGTH="3", HTTP_CONTENT_ENCODING=encoding))
        assert answer.status_code == 415
        assert b"without compression" in answer.content

    @pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
    def test_one_that_is_not_compressed_may_say_so(self, encoding) -> None:
        assert self.answer(request_of(CONTENT_LENGTH="3", HTTP_CONTENT_ENCODING=encoding)).status_code == 204

    def test_only_the_api_is_meant(self) -> None:
        assert self.answer(request_of(path="/admin/login/", HTTP_TRANSFER_ENCODING="chunked")).status_code == 204

    def test_it_stands_before_the_views(self, api) -> None:
        error_of(api.post(BULK, {"business_ids": [str(NOBODY)]}, HTTP_CONTENT_ENCODING="gzip"), 415)
        assert not Run.objects.exists()


def test_an_unknown_host_is_refused_in_the_envelope() -> None:
    error_of(APIClient().get("/api/yellow-books", HTTP_HOST="evil.example"), 400)


@pytest.mark.parametrize(
    "path", ["/api/%0a", "/api/a%0Ab", "/api/%E2%80%AE", "/api/%00", "/api/%ff", "/api//", "/api/."]
)
def test_a_path_that_leads_nowhere_is_a_404_in_the_envelope_whatever_it_is_made_of(path) -> None:
    strict = Client(enforce_csrf_checks=True)
    error_of(strict.get(path), 404)
    error_of(strict.post(path, b"{}", content_type=JSON), 404)
