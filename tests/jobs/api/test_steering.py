"""Cancelling, retrying, pausing over HTTP."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken
from rest_framework.test import APIClient

from jobs.enqueue import enqueue
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.lifecycle import claim
from jobs.models import DeadLetter, JobExecution, Lane, WorkerProcess
from jobs.states import WAITING, Status
from tests.jobs.support import claimed, end, long_ago, must_claim, put, sender

from .conftest import error_of

pytestmark = pytest.mark.django_db
JOBS = "/api/admin/jobs"


class TestCancel:
    """POST `/jobs/{job_id}/cancel`."""

    @pytest.mark.parametrize("status", Status.values)
    def test_it_is_legal_while_a_job_waits_and_else_a_conflict(self, api, kind: Kind, status) -> None:
        job = put(kind, "a", status)
        response = api.post(f"{JOBS}/{job.id}/cancel")
        if status in WAITING:
            assert response.status_code == 200
            assert (response.json()["status"], response.json()["result"]) == ("cancelled", "by a person")
            assert error_of(api.post(f"{JOBS}/{job.id}/cancel"), 409)["code"] == "conflict"
        else:
            assert status in error_of(response, 409)["message"]
            job.refresh_from_db()
            assert job.status == status

    def test_a_name_of_any_length_may_cancel(self, kind: Kind) -> None:
        user = User.objects.create_user("ө" * 150, is_staff=True)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(user)[1]}")
        job = put(kind, "a", "queued")
        assert client.post(f"{JOBS}/{job.id}/cancel").status_code == 200

    def test_an_unknown_job_is_a_404(self, api) -> None:
        for what in ("cancel", "retry"):
            error_of(api.post(f"{JOBS}/{uuid4()}/{what}"), 404)


class TestRetry:
    """POST `/jobs/{job_id}/retry`."""

    def test_a_dead_job_waits_again_and_a_worker_is_woken(
        self, api, kind: Kind, django_capture_on_commit_callbacks
    ) -> None:
        batch = claimed(kind, "a")
        end(batch, NotFound("gone"))
        sender().client.delete(f"dramatiq:{kind.name}")
        with django_capture_on_commit_callbacks(execute=True):
            response = api.post(f"{JOBS}/{batch.jobs[0].id}/retry")
        assert response.status_code == 200
        body = response.json()
        assert (body["status"], body["operation"], body["attempt"], body["progress"]) == ("queued", "retry", 1, 0)
        assert (body["metadata"]["triggered_by"], body["metadata"]["source"]) == ("болд", "api")
        assert DeadLetter.objects.get().resolution == "retried"
        assert sender().waiting_messages(kind.name) == 1
        assert must_claim(kind).jobs[0].id == batch.jobs[0].id

    @pytest.mark.parametrize("status", [s for s in Status.values if s != "dead"])
    def test_any_other_is_a_conflict(self, api, kind: Kind, status) -> None:
        job = put(kind, "a", status)
        assert status in error_of(api.post(f"{JOBS}/{job.id}/retry"), 409)["message"]

    def test_a_newer_waiting_job_is_a_conflict(self, api, kind: Kind) -> None:
        job = put(kind, "a", "dead")
        enqueue(kind.name, subject="a")
        assert "newer" in error_of(api.post(f"{JOBS}/{job.id}/retry"), 409)["message"]
        job.refresh_from_db()
        assert job.status == "dead"


class TestLanes:
    """`/lanes`, pause and resume."""

    def test_lanes_show_what_waits_and_runs(self, api, kind: Kind, django_assert_max_num_queries) -> None:
        claimed(kind, "r")
        put(kind, "q", "queued", next_attempt_at=long_ago(100))
        put(kind, "t", "retrying", next_attempt_at="2999-01-01T00:00:00Z")
        put(kind, "d", "dead")
        with django_assert_max_num_queries(3):
            lanes = {lane["kind"]: lane for lane in api.get("/api/admin/lanes").json()}
        lane = lanes[kind.name]
        assert (lane["waiting"], lane["running"], lane["paused"]) == (2, 1, False)
        assert (lane["concurrency"], lane["batch_size"]) == (50, 10)
        assert lane["oldest_waiting_seconds"] >= 100
        assert lanes["generate_embedding"]["waiting"] == 0
        assert lanes["generate_embedding"]["oldest_waiting_seconds"] is None

    def test_a_lane_is_paused_with_a_reason_and_resumed(self, api, kind: Kind) -> None:
        put(kind, "a", "queued")
        body = {"reason": "Гэмтэл", "until": "2999-01-01T00:00:00Z"}
        lane = api.post(f"/api/admin/lanes/{kind.name}/pause", body).json()
        assert (lane["paused"], lane["pause_reason"], lane["paused_by"], lane["paused_until"]) == (
            True,
            "Гэмтэл",
            "болд",
            "2999-01-01T00:00:00Z",
        )
        assert claim(kind, worker="w") is None
        lane = api.post(f"/api/admin/lanes/{kind.name}/resume").json()
        assert (lane["paused"], lane["pause_reason"], lane["paused_at"], lane["paused_until"]) == (
            False,
            "",
            None,
            None,
        )
        assert claim(kind, worker="w") is not None

    def test_a_pause_needs_no_body_and_a_resume_no_pause(self, api, kind: Kind) -> None:
        assert api.post(f"/api/admin/lanes/{kind.name}/resume").json()["paused"] is False
        assert api.post(f"/api/admin/lanes/{kind.name}/pause").json()["paused"] is True

    def test_a_second_pause_replaces_the_first(self, api, kind: Kind) -> None:
        api.post(f"/api/admin/lanes/{kind.name}/pause", {"until": "2999-01-01T00:00:00Z", "reason": "x"})
        lane = api.post(f"/api/admin/lanes/{kind.name}/pause").json()
        assert (lane["paused_until"], lane["pause_reason"]) == (None, "")

    @pytest.mark.parametrize("what", ["pause", "resume"])
    def test_an_unknown_kind_is_a_404_that_leaves_no_row(self, api, what) -> None:
        assert "nonsense" in error_of(api.post(f"/api/admin/lanes/nonsense/{what}"), 404)["message"]
        assert not Lane.objects.exists()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"until": "tomorrow"}, "until"),
            ({"reason": "x" * 201}, "reason"),
            ({"reason": "a\x00"}, "reason"),
            ({"reason": {}}, "reason"),
            ([], "non_field_errors"),
        ],
    )
    def test_a_wrong_pause_is_a_400_that_names_the_field(self, api, kind: Kind, body, field) -> None:
        assert field in error_of(api.post(f"/api/admin/lanes/{kind.name}/pause", body), 400)["fields"]
        assert not Lane.objects.filter(paused_at__isnull=False).exists()


def test_workers_are_listed_the_latest_heartbeat_first(api) -> None:
    for n, state in enumerate(["running", "stopped", "lost"]):
        WorkerProcess.objects.create(
            name=f"h:{n}-x", host="h", pid=n, version="1", threads=4, state=state, last_heartbeat_at=long_ago(100 * n)
        )
    workers = api.get("/api/admin/workers").json()["results"]
    assert [worker["name"] for worker in workers] == ["h:0-x", "h:1-x", "h:2-x"]
    assert {"host", "pid", "state", "threads", "processed", "failed", "memory_bytes", "last_heartbeat_at"} <= set(
        workers[0]
    )
    assert [w["name"] for w in api.get("/api/admin/workers", {"state": "lost"}).json()["results"]] == ["h:2-x"]
    assert error_of(api.get("/api/admin/workers", {"state": "asleep"}), 400)["fields"]


def test_what_a_job_holds_is_shown_as_data(api, kind: Kind) -> None:
    job = put(kind, "<script>", "dead", error="<img src=x onerror=alert(1)>")
    response = api.get(f"{JOBS}/{job.id}")
    assert response["Content-Type"].startswith("application/json")
    assert response.json()["error"] == "<img src=x onerror=alert(1)>"
    assert JobExecution.objects.count() == 1
