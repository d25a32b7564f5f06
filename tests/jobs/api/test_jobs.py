"""`/api/admin/jobs`: lists, filters, pages, details."""

import base64
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.utils import timezone

from jobs.enqueue import enqueue, enqueue_many
from jobs.errors import NotFound
from jobs.kinds import Kind
from jobs.models import JobExecution, Lease, Run
from jobs.states import Status
from tests.jobs.support import NOBODY, MakeKind, claimed, end, must_claim, network_failure, put

from .conftest import error_of

pytestmark = pytest.mark.django_db
JOBS = "/api/admin/jobs"


def ids(response) -> set[str]:
    assert response.status_code == 200, response.content
    return {job["job_id"] for job in response.json()["results"]}


class TestFilters:
    """Each filter keeps what it says and nothing else."""

    @pytest.mark.parametrize("status", Status.values)
    def test_by_status(self, api, kind: Kind, status) -> None:
        by_status = {each: put(kind, each, each) for each in Status.values}
        assert ids(api.get(JOBS, {"status": status})) == {str(by_status[status].id)}

    def test_by_several_statuses(self, api, kind: Kind) -> None:
        by_status = {each: put(kind, each, each) for each in Status.values}
        found = ids(api.get(f"{JOBS}?status=dead&status=queued"))
        assert found == {str(by_status["dead"].id), str(by_status["queued"].id)}

    def test_by_kind(self, api, kind: Kind, make_kind: MakeKind) -> None:
        mine = put(kind, "a", "queued")
        put(make_kind(), "a", "queued")
        assert ids(api.get(JOBS, {"kind": kind.name})) == {str(mine.id)}
        assert ids(api.get(JOBS, {"kind": "unknown"})) == set()

    def test_by_priority(self, api, kind: Kind) -> None:
        jobs = {name: put(kind, name, "queued", priority=n) for n, name in enumerate(["high", "normal", "low"])}
        for name, job in jobs.items():
            assert ids(api.get(JOBS, {"priority": name})) == {str(job.id)}

    def test_by_the_name_that_a_kind_gives_its_subject(self, api, make_kind: MakeKind) -> None:
        subject = str(uuid4())
        shop, other = make_kind(subject_name="shop_id"), make_kind()
        mine = put(shop, subject, "queued")
        put(other, subject, "queued")
        put(shop, str(uuid4()), "queued")
        assert ids(api.get(JOBS, {"shop_id": subject})) == {str(mine.id)}
        assert ids(api.get(JOBS, {"shop_id": subject.upper()})) == {str(mine.id)}
        assert ids(api.get(JOBS, {"business_id": subject})) == set()

    def test_by_class_of_failure(self, api, kind: Kind) -> None:
        failed = put(kind, "a", "dead", error_class="network")
        put(kind, "b", "dead", error_class="auth")
        assert ids(api.get(JOBS, {"error_class": "network"})) == {str(failed.id)}

    def test_by_run(self, api, kind: Kind) -> None:
        run = Run.objects.create(kind=kind.name, requested_by="x", source="api", total=1)
        entry = enqueue_many(kind.name, ["a"], run=run)[0]
        enqueue(kind.name, subject="b")
        assert ids(api.get(JOBS, {"run_id": run.id})) == {str(entry.job_id)}

    def test_since(self, api, kind: Kind) -> None:
        now = timezone.now()
        for age in (1, 2, 3):
            put(kind, str(age), "queued", created_at=now - timedelta(hours=age))
        since = (now - timedelta(hours=2.5)).isoformat()
        assert len(ids(api.get(JOBS, {"since": since}))) == 2
        assert len(ids(api.get(JOBS, {"since": since.replace("+00:00", "Z")}))) == 2

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("status", "lost"),
            ("priority", "urgent"),
            ("priority", "0"),
            ("error_class", "nonsense"),
            ("run_id", "7"),
            ("business_id", "not-a-uuid"),
            ("since", "yesterday"),
            ("kind", "a\x00b"),
        ],
    )
    def test_a_value_that_can_not_be_meant_is_a_400_that_names_the_filter(self, api, name, value) -> None:
        error = error_of(api.get(JOBS, {name: value}), 400)
        assert (error["code"], list(error["fields"])) == ("invalid", [name])


class TestPages:
    """Pages by cursor."""

    def walk(self, api, path: str) -> list[str]:
        found: list[str] = []
        while path:
            body = api.get(path).json()
            found += [job["job_id"] for job in body["results"]]
            path = body["next"]
        return found

    def test_every_job_comes_once_newest_first(self, api, kind: Kind) -> None:
        jobs = [put(kind, str(n), "queued") for n in range(7)]
        assert self.walk(api, f"{JOBS}?page_size=3") == [str(job.id) for job in reversed(jobs)]

    def test_jobs_of_one_moment_come_once_too(self, api, kind: Kind) -> None:
        """A bulk call makes thousands of rows with the same time."""
        entries = enqueue_many(kind.name, [str(n) for n in range(25)])
        found = self.walk(api, f"{JOBS}?page_size=4")
        assert sorted(found) == sorted(str(entry.job_id) for entry in entries)

    def test_a_bulk_call_longer_than_a_thousand_can_be_walked(self, api, kind: Kind) -> None:
        """A cursor of Django REST framework counts no more than 1,000 rows of one moment."""
        entries = enqueue_many(kind.name, [str(n) for n in range(1600)])
        path, seen = f"{JOBS}?page_size=500", set()
        for _ in range(4):
            body = api.get(path).json()
            seen |= {job["job_id"] for job in body["results"]}
            path = body["next"]
        assert path is None
        assert len(seen) == len(entries)

    def test_new_jobs_do_not_shift_the_pages(self, api, kind: Kind) -> None:
        jobs = [put(kind, str(n), "queued") for n in range(4)]
        first = api.get(JOBS, {"page_size": 2}).json()
        put(kind, "new", "queued")
        second = api.get(first["next"]).json()
        assert [job["job_id"] for job in second["results"]] == [str(jobs[1].id), str(jobs[0].id)]
        assert second["next"] is None
        back = api.get(second["previous"]).json()
        assert str(jobs[3].id) in [job["job_id"] for job in back["results"]]

    @pytest.mark.parametrize("ordering", ["finished_at", "-finished_at", "created_at", "-created_at"])
    def test_in_any_order_every_job_comes_once(self, api, kind: Kind, ordering) -> None:
        now = timezone.now()
        jobs = [put(kind, f"w{n}", "queued") for n in range(5)]
        jobs += [put(kind, f"f{n}", "succeeded", finished_at=now - timedelta(hours=n)) for n in range(5)]
        found = self.walk(api, f"{JOBS}?page_size=3&ordering={ordering}")
        assert sorted(found) == sorted(str(job.id) for job in jobs)

    @pytest.mark.parametrize("position", ["abc", "2026-13-45", "\x00", "None", "2026-01-01T00:00:00Z' OR 1=1"])
    def test_a_cursor_that_somebody_made_up_is_refused(self, api, kind: Kind, position) -> None:
        put(kind, "a", "queued")
        cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()
        response = api.get(JOBS, {"cursor": cursor})
        assert response.status_code in (400, 404), response.content
        assert response.json()["error"]["message"]

    @pytest.mark.parametrize("cursor", ["x", "////", "ө", "bz0xJnA9", "=" * 50])
    def test_a_cursor_that_is_none_is_no_server_error(self, api, kind: Kind, cursor) -> None:
        assert api.get(JOBS, {"cursor": cursor}).status_code in (200, 400, 404)

    @pytest.mark.parametrize("size", [1, 30])
    def test_a_page_costs_the_same_queries_whatever_its_length(
        self, api, kind: Kind, size, django_assert_max_num_queries
    ) -> None:
        for n in range(size):
            end(claimed(kind, str(n)), NotFound("x"))
        api.get(JOBS)
        with django_assert_max_num_queries(3) as queries:
            assert len(api.get(JOBS).json()["results"]) == size
        assert not any("count(" in query["sql"].lower() for query in queries)


class TestDetail:
    """One job."""

    def test_a_job_shows_its_attempts_and_steps(self, api, make_kind: MakeKind) -> None:
        kind = make_kind(subject_name="shop_id")
        enqueue(kind.name, subject=(subject := str(uuid4())), priority="high", metadata={"original_name": "Номин"})
        batch = must_claim(kind)
        end(batch, network_failure(), steps=[{"progress": 10, "at": "2026-01-01T00:00:00+00:00"}])
        job = api.get(f"{JOBS}/{batch.jobs[0].id}").json()
        assert (job["job_id"], job["kind"], job["subject"], job["shop_id"]) == (
            str(batch.jobs[0].id),
            kind.name,
            subject,
            subject,
        )
        assert job["business_id"] is None
        assert (job["status"], job["priority"], job["progress"], job["attempt"], job["max_retries"]) == (
            "retrying",
            "high",
            0,
            2,
            3,
        )
        assert (job["error_class"], job["error"], job["metadata"]["original_name"]) == (
            "network",
            "connection refused",
            "Номин",
        )
        assert job["next_attempt_at"].endswith("Z")
        assert [step["progress"] for step in job["steps"]] == [10]
        assert [(a["number"], a["error_class"], a["error"]) for a in job["attempts"]] == [
            (1, "network", "connection refused")
        ]

    def test_a_running_job_shows_what_its_batch_has_published(self, api, kind: Kind) -> None:
        batch = claimed(kind, "a")
        Lease.objects.update(progress=50, steps=[{"progress": 50, "at": "2026-01-01T00:00:00+00:00"}])
        job = api.get(f"{JOBS}/{batch.jobs[0].id}").json()
        assert (job["status"], job["progress"], job["steps"][0]["progress"]) == ("running", 50, 50)
        assert job["next_attempt_at"] is None

    def test_a_job_whose_metadata_lacks_its_origin_hides_no_other(self, api, kind: Kind) -> None:
        put(kind, "a", "queued", metadata={})
        put(kind, "b", "queued")
        assert len(ids(api.get(JOBS))) == 2

    @pytest.mark.parametrize("job_id", [str(NOBODY), "7", "none", "00000000", "%00"])
    def test_a_job_that_does_not_exist_is_a_404(self, api, job_id) -> None:
        error_of(api.get(f"{JOBS}/{job_id}"), 404)

    def test_attempts_cost_no_query_each(self, api, kind: Kind, django_assert_max_num_queries) -> None:
        batch = claimed(kind, "a")
        end(batch, network_failure())
        for number in range(2, 9):
            JobExecution.objects.get().attempts.create(
                number=number, started_at=timezone.now(), error_class="network", error="x", worker="w"
            )
        with django_assert_max_num_queries(4):
            assert len(api.get(f"{JOBS}/{batch.jobs[0].id}").json()["attempts"]) == 8
