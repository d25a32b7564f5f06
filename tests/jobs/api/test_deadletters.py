"""Dead letters over HTTP."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from jobs.actor import Actor
from jobs.errors import NotFound, ServerError
from jobs.kinds import Kind
from jobs.models import DeadLetter, JobExecution
from jobs.runs import start_run
from tests.jobs.support import NOBODY, claimed, end, statuses, waiting

from .conftest import error_of

pytestmark = pytest.mark.django_db
DLQ = "/api/admin/dlq"


def bury(kind: Kind, *subjects: str, error=None) -> list[str]:
    batch = claimed(kind, *subjects, max_retries=0)
    end(batch, error or NotFound("gone"))
    return [str(job.id) for job in batch.jobs]


def ids_of(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [letter["job_id"] for letter in response.json()["results"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("get", "/causes"),
        ("get", f"/{NOBODY}"),
        ("post", f"/retry/{NOBODY}"),
        ("post", "/retry"),
        ("post", f"/{NOBODY}/resolve"),
    ],
)
def test_only_the_staff_may_come_near(db, method, path) -> None:
    stranger = APIClient()
    error_of(getattr(stranger, method)(DLQ + path), 401)
    stranger.force_authenticate(User.objects.create_user("customer"))
    error_of(getattr(stranger, method)(DLQ + path), 403)


def test_an_empty_list_is_a_list(api) -> None:
    body = api.get(DLQ).json()
    assert (body["total_failed"], body["by_error_class"], body["oldest"], body["results"]) == (0, {}, None, [])


def test_the_list_tells_what_is_unsettled_in_all_newest_first(api, kind: Kind) -> None:
    first, second = bury(kind, "a")[0], bury(kind, "b", error=ServerError("busy"))[0]
    body = api.get(DLQ).json()
    assert [letter["job_id"] for letter in body["results"]] == [second, first]
    assert (body["total_failed"], body["by_error_class"]) == (2, {"not_found": 1, "server": 1})
    assert body["oldest"] == body["results"][1]["created_at"]


def test_a_letter_tells_everything(api, kind: Kind) -> None:
    job_id = bury(kind, "a", error=ServerError("upstream failed", status_code=503, sample="<html>"))[0]
    letter = api.get(f"{DLQ}/{job_id}").json()
    assert (letter["job_id"], letter["kind"], letter["failure_reason"]) == (job_id, kind.name, "upstream failed")
    assert (letter["error_class"], letter["attempts"], letter["resolution"]) == ("server", 1, "")
    assert letter["error_details"] == {
        "message": "upstream failed",
        "stack": "",
        "status_code": 503,
        "sample": "<html>",
    }
    assert letter["payload"]["job_id"] == job_id
    for name in ("fingerprint", "enqueued_at", "last_attempt_at", "created_at"):
        assert letter[name]


def test_filters_narrow_the_list(api, kind: Kind, make_kind) -> None:
    other = make_kind(batch_size=10)
    gone, busy, elsewhere = bury(kind, "a")[0], bury(kind, "b", error=ServerError("x"))[0], bury(other, "c")[0]
    api.post(f"{DLQ}/{busy}/resolve")
    print_ = DeadLetter.objects.get(job_id=gone).fingerprint  # type: ignore[misc]
    assert ids_of(api.get(DLQ, {"kind": other.name})) == [elsewhere]
    assert ids_of(api.get(DLQ, {"error_class": "server"})) == [busy]
    assert ids_of(api.get(DLQ, {"fingerprint": print_})) == [gone]
    assert ids_of(api.get(DLQ, {"resolved": "true"})) == [busy]
    assert set(ids_of(api.get(DLQ, {"resolved": "false"}))) == {gone, elsewhere}
    error_of(api.get(DLQ, {"error_class": "bad luck"}), 400)


def test_pages_hold_each_letter_once(api, kind: Kind) -> None:
    buried = set(bury(kind, *"abcdefg"))
    seen, url = [], f"{DLQ}?limit=2&page_size=2"
    while url:
        body = api.get(url).json()
        seen += [letter["job_id"] for letter in body["results"]]
        url = body["next"]
    assert sorted(seen) == sorted(buried)


def test_causes_count_letters_that_differ_in_numbers_as_one(api, kind: Kind) -> None:
    for n in range(3):
        bury(kind, f"a{n}", error=ServerError(f"failed after {n} s"))
    bury(kind, "b")
    causes = api.get(f"{DLQ}/causes").json()
    assert [(cause["error_class"], cause["count"]) for cause in causes] == [("server", 3), ("not_found", 1)]
    assert causes[0]["example"].startswith("failed after")


class TestRetryOne:
    """POST `/dlq/retry/{job_id}`."""

    def test_it_makes_the_job_wait_again_and_a_second_click_is_a_conflict(self, api, kind: Kind) -> None:
        job_id = bury(kind, "a")[0]
        response = api.post(f"{DLQ}/retry/{job_id}")
        assert (response.status_code, response.json()) == (200, {"status": "requeued", "job_id": job_id})
        job = JobExecution.objects.get()
        assert (job.status, job.operation, job.metadata["source"]) == ("queued", "retry", "dlq-retry")
        assert job.metadata["triggered_by"] == "болд"
        error_of(api.post(f"{DLQ}/retry/{job_id}"), 409)

    def test_a_job_without_a_letter_is_a_404(self, api, kind: Kind) -> None:
        error_of(api.post(f"{DLQ}/retry/{NOBODY}"), 404)
        error_of(api.post(f"{DLQ}/retry/{waiting(kind, 'a')[0].id}"), 404)
        error_of(api.get(f"{DLQ}/{NOBODY}"), 404)
        assert api.post(f"{DLQ}/retry/nonsense").status_code == 404

    def test_a_newer_waiting_job_is_a_conflict(self, api, kind: Kind) -> None:
        job_id = bury(kind, "a")[0]
        waiting(kind, "a")
        error_of(api.post(f"{DLQ}/retry/{job_id}"), 409)


class TestRetryMany:
    """POST `/dlq/retry`."""

    def test_by_ids_counting_what_was_not_there_to_retry(self, api, kind: Kind) -> None:
        ids = bury(kind, "a", "b", "c")
        asked = {"job_ids": [*ids[:2], ids[0], str(NOBODY)]}
        assert api.post(f"{DLQ}/retry", asked, format="json").json() == {"requeued": 2, "skipped": 1}
        assert api.post(f"{DLQ}/retry", asked, format="json").json() == {"requeued": 0, "skipped": 3}
        assert statuses(kind) == {"queued": 2, "dead": 1}

    def test_by_filter(self, api, kind: Kind) -> None:
        bury(kind, "a", "b")
        bury(kind, "c", error=ServerError("x"))
        fingerprint = DeadLetter.objects.get(error_class="server").fingerprint
        assert api.post(f"{DLQ}/retry", {"fingerprint": fingerprint}, format="json").json()["requeued"] == 1
        assert api.post(f"{DLQ}/retry", {"error_class": "server"}, format="json").json()["requeued"] == 0
        both = {"kind": kind.name, "error_class": "not_found"}
        assert api.post(f"{DLQ}/retry", both, format="json").json() == {"requeued": 2, "skipped": 0}

    def test_by_run(self, api, kind: Kind) -> None:
        letter, other = bury(kind, "a", "b")
        run = start_run(kind.name, total=1, actor=Actor("bold", "api"))
        JobExecution.objects.filter(id=letter).update(run=run)
        assert ids_of(api.get(DLQ, {"run_id": str(run.id)})) == [letter]
        asked = {"run_id": str(run.id)}
        assert api.post(f"{DLQ}/retry", asked, format="json").json() == {"requeued": 1, "skipped": 0}
        assert JobExecution.objects.get(id=other).status == "dead"

    def test_a_dry_run_leaves_out_what_another_job_does(self, api, kind: Kind) -> None:
        bury(kind, "a", "b")
        waiting(kind, "a")
        asked = {"kind": kind.name}
        dry = api.post(f"{DLQ}/retry", {**asked, "dry_run": True}, format="json").json()
        assert dry == api.post(f"{DLQ}/retry", asked, format="json").json() == {"requeued": 1, "skipped": 1}

    def test_a_dry_run_counts_and_changes_nothing(self, api, kind: Kind) -> None:
        bury(kind, "a", "b")
        before = list(JobExecution.objects.values()) + list(DeadLetter.objects.values())
        asked = {"error_class": "not_found", "dry_run": True}
        assert api.post(f"{DLQ}/retry", asked, format="json").json()["requeued"] == 2
        assert list(JobExecution.objects.values()) + list(DeadLetter.objects.values()) == before

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"dry_run": True},
            {"dry_run": False},
            {"job_ids": []},
            {"kind": ""},
            {"kind": None},
            {"fingerprint": ""},
            {"error_class": ""},
            {"error_class": "bad luck"},
            {"job_ids": ["x"]},
            {"job_ids": "all"},
            {"job_ids": [str(NOBODY)] * 10_001},
            {"resolved": False},
            [],
        ],
        ids=lambda asked: str(asked)[:30],
    )
    def test_nothing_is_retried_by_mistake(self, api, kind: Kind, asked) -> None:
        bury(kind, "a")
        error_of(api.post(f"{DLQ}/retry", asked, format="json"), 400)
        assert statuses(kind) == {"dead": 1}


class TestResolve:
    """POST `/dlq/{job_id}/resolve`."""

    def test_with_a_note_once_and_the_first_stays(self, api, kind: Kind) -> None:
        job_id = bury(kind, "a")[0]
        body = api.post(f"{DLQ}/{job_id}/resolve", {"note": "closed <b>down</b>"}, format="json").json()
        assert (body["resolution"], body["resolved_by"], body["note"]) == ("resolved", "болд", "closed <b>down</b>")
        again = api.post(f"{DLQ}/{job_id}/resolve", {"note": "other"}, format="json")
        assert (again.status_code, again.json()) == (200, body)
        assert api.get(DLQ).json()["total_failed"] == 0

    def test_without_a_note_or_a_body(self, api, kind: Kind) -> None:
        assert api.post(f"{DLQ}/{bury(kind, 'a')[0]}/resolve").json()["note"] == ""

    @pytest.mark.parametrize("note", ["x" * 2001, "half\x00", {"a": 1}, None])
    def test_a_note_that_is_none_is_refused(self, api, kind: Kind, note) -> None:
        job_id = bury(kind, "a")[0]
        error_of(api.post(f"{DLQ}/{job_id}/resolve", {"note": note}, format="json"), 400)
        assert DeadLetter.objects.get().resolved_at is None

    def test_an_unknown_job_is_a_404(self, api) -> None:
        error_of(api.post(f"{DLQ}/{NOBODY}/resolve"), 404)


@pytest.mark.parametrize("bad", ["\x00", "a\x00b"])
def test_a_nul_byte_in_a_filter_is_no_500(api, kind: Kind, bad) -> None:
    error_of(api.get(DLQ, {"fingerprint": bad}), 400)
    error_of(api.post(f"{DLQ}/retry", {"kind": bad}, format="json"), 400)
