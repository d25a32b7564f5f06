"""`/api/admin/embeddings/...`."""

from uuid import uuid4

import pytest

from jobs.errors import AuthError, ServerError
from jobs.models import JobExecution, Run
from tests.jobs.api.conftest import error_of

from .conftest import business, ends, job_of, vector, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider")]
BULK = "/api/admin/embeddings/bulk"
ONE = "/api/admin/embeddings/generate-one"
STATS = "/api/admin/embeddings/stats"


class TestBulk:
    """POST `/embeddings/bulk`."""

    def test_each_business_gets_a_job_or_joins_the_one_that_waits(self, api) -> None:
        done, waits = business("done"), None
        work()
        waits = business("waits")
        unknown = str(uuid4())
        response = api.post(BULK, {"business_ids": [str(done.pk), str(waits.pk), unknown], "priority": "high"})
        assert response.status_code == 202
        body = response.json()
        assert (body["queued"], body["skipped"], body["not_found"]) == (1, 1, [unknown])
        assert body["jobs"] == [
            {"job_id": str(job_of(shop).id), "business_id": str(shop.pk), "status": "queued"} for shop in (done, waits)
        ]
        job = job_of(done)
        assert (job.operation, job.priority, job.metadata["source"], job.metadata["triggered_by"]) == (
            "bulk",
            0,
            "api",
            "болд",
        )
        assert job.metadata["original_name"] == "done"
        assert str(job.run_id) == body["run_id"]
        assert Run.objects.get().total == 2

    def test_an_id_that_is_given_twice_counts_once(self, api) -> None:
        shop = business()
        JobExecution.objects.all().delete()
        body = api.post(BULK, {"business_ids": [str(shop.pk), str(shop.pk).upper(), shop.pk.hex]}).json()
        assert (body["queued"], body["skipped"], len(body["jobs"])) == (1, 0, 1)

    def test_only_unknown_ids_are_no_error(self, api) -> None:
        unknown = [str(uuid4()), str(uuid4())]
        body = api.post(BULK, {"business_ids": unknown}).json()
        assert (body["queued"], body["skipped"], body["not_found"], body["jobs"]) == (0, 0, unknown, [])

    def test_ten_thousand_are_taken_in_a_handful_of_statements(self, api, django_assert_max_num_queries) -> None:
        shops = [business(str(n)) for n in range(3)]
        ids = [str(uuid4()) for _ in range(9_997)] + [str(shop.pk) for shop in shops]
        with django_assert_max_num_queries(10):
            response = api.post(BULK, {"business_ids": ids})
        assert response.status_code == 202
        assert len(response.json()["not_found"]) == 9_997

    def test_one_more_is_too_many(self, api) -> None:
        error = error_of(api.post(BULK, {"business_ids": [str(uuid4())] * 10_001}), 400)
        assert list(error["fields"]) == ["business_ids"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "business_ids"),
            ({"business_ids": []}, "business_ids"),
            ({"business_ids": None}, "business_ids"),
            ({"business_ids": "all"}, "business_ids"),
            ({"business_ids": ["7"]}, "business_ids"),
            ({"business_ids": [7]}, "business_ids"),
            ({"business_ids": [True]}, "business_ids"),
            ({"business_ids": [-1]}, "business_ids"),
            ({"business_ids": [10**40]}, "business_ids"),
            ({"business_ids": [None]}, "business_ids"),
            ({"business_ids": {"a": 1}}, "business_ids"),
            ({"business_ids": [["x"]]}, "business_ids"),
            ({"business_ids": [str(uuid4())], "priority": "urgent"}, "priority"),
            ({"business_ids": [str(uuid4())], "priority": 0}, "priority"),
            ({"business_ids": [str(uuid4())], "priority": None}, "priority"),
            ([], "non_field_errors"),
            ("x", "non_field_errors"),
        ],
    )
    def test_a_wrong_request_is_a_400_that_names_the_field(self, api, body, field) -> None:
        assert field in error_of(api.post(BULK, body), 400)["fields"]
        assert not JobExecution.objects.exists()
        assert not Run.objects.exists()


class TestGenerateOne:
    """POST `/embeddings/generate-one`."""

    def test_the_vector_is_stored_when_it_answers(self, api) -> None:
        shop = business()
        response = api.post(ONE, {"business_id": str(shop.pk)})
        assert response.status_code == 200
        body = response.json()
        job = job_of(shop)
        assert (body["job_id"], body["business_id"], body["result"]) == (str(job.id), str(shop.pk), "embedded")
        assert body["duration_ms"] >= 0
        assert vector(shop).job_id == job.id
        assert JobExecution.objects.count() == 1, "it took the job that waited"
        assert api.post(ONE, {"business_id": str(shop.pk)}).json()["result"] == "unchanged"

    def test_it_does_not_wait_for_a_job_that_is_not_due(self, api) -> None:
        shop = business()
        JobExecution.objects.update(status="retrying", next_attempt_at="2999-01-01T00:00:00Z")
        assert api.post(ONE, {"business_id": str(shop.pk)}).json()["result"] == "embedded"

    @pytest.mark.parametrize(("error", "status"), [(ServerError, "retrying"), (AuthError, "dead")])
    def test_a_failure_is_a_502_with_its_class(self, api, provider, error, status) -> None:
        def fail(texts):
            raise error(f"refused: key=AIza{'x' * 35}")

        provider.meanwhile = fail
        shop = business()
        response = api.post(ONE, {"business_id": str(shop.pk)})
        assert response.status_code == 502
        body = response.json()
        assert body["error"]["code"] == error.error_class
        assert "xxxxx" not in body["error"]["message"]
        assert body["job_id"] == str(job_of(shop).id)
        assert ends(shop) == [(status, error.error_class)]

    def test_a_failure_whose_business_was_saved_meanwhile_is_a_502_too(self, api, provider) -> None:
        shop = business()

        def fail(texts):
            shop.name = "Шинэ"
            shop.save()
            raise ServerError("busy")

        provider.meanwhile = fail
        response = api.post(ONE, {"business_id": str(shop.pk)})
        assert response.status_code == 502
        assert response.json()["error"]["code"] == "server"
        assert ends(shop) == [("queued", "")]

    def test_an_unknown_business_is_a_404_without_a_job(self, api) -> None:
        error_of(api.post(ONE, {"business_id": str(uuid4())}), 404)
        assert not JobExecution.objects.exists()

    @pytest.mark.parametrize("body", [{}, {"business_id": "7"}, {"business_id": 7}, {"business_id": None}, {"id": 1}])
    def test_a_wrong_request_is_a_400_that_names_the_field(self, api, body) -> None:
        assert list(error_of(api.post(ONE, body), 400)["fields"]) == ["business_id"]


def test_stats_are_those_of_the_rows(api) -> None:
    business("A")
    work()
    business("B")
    body = api.get(STATS).json()
    assert set(body) >= {
        "total",
        "with_embeddings",
        "without_embeddings",
        "stale",
        "coverage_percentage",
        "oldest_waiting_seconds",
        "by_model",
    }
    assert (body["total"], body["with_embeddings"], body["without_embeddings"], body["stale"]) == (2, 1, 1, 0)
    assert body["coverage_percentage"] == 50.0
    assert body["oldest_waiting_seconds"] >= 0
    assert body["by_model"][0]["count"] == 1
    assert error_of(api.post(STATS), 405)
