"""`/api/admin/bulk-actions`, and a retry of dead letters at a rate."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs import deadletters
from jobs.kinds import Kind
from jobs.models import BulkAction
from tests.jobs.admin.support import bury
from tests.jobs.bulk.support import work_off
from tests.jobs.support import NOBODY, MakeKind, statuses

from .conftest import error_of

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/admin/bulk-actions"
RETRY = "/api/admin/dlq/retry"


@pytest.fixture
def kind(make_kind: MakeKind) -> Kind:
    return make_kind(batch_size=100, linger=0.0)


def test_a_retry_with_a_rate_is_a_bulk_action(api, kind: Kind, make_kind: MakeKind) -> None:
    bury(kind, *"abc")
    bury(make_kind(), "other")

    response = api.post(RETRY, {"kind": kind.name, "per_second": 100}, format="json")

    assert response.status_code == 202
    body = response.json()
    assert response["Location"] == f"{PATH}/{body['bulk_action_id']}"
    assert (body["action"], body["state"], body["total"], body["per_second"]) == (
        "retry_dead_letters",
        "waiting",
        3,
        100,
    )
    assert body["criteria"] == {"api": {"kind": kind.name}}
    assert statuses(kind) == {"dead": 3}
    bury(kind, "later")

    work_off()

    body = api.get(response["Location"]).json()
    assert (body["state"], body["done"], body["skipped"], body["progress_percentage"]) == ("done", 3, 0, 100.0)
    assert {letter.subject for letter in deadletters.unsettled()} == {"later", "other"}
    assert "болд" in {entry.user.get_username() for entry in LogEntry.objects.all()}


def test_letters_named_by_their_jobs_are_retried_at_a_rate_too(api, kind: Kind) -> None:
    letters = bury(kind, *"abc")
    asked = {"job_ids": [str(letter.job_id) for letter in letters[:2]], "per_second": 5}
    assert api.post(RETRY, asked, format="json").status_code == 202
    work_off()
    assert deadletters.unsettled().get().subject == "c"


def test_a_dry_run_at_a_rate_counts_and_begins_nothing(api, kind: Kind) -> None:
    bury(kind, "a")
    dry = api.post(RETRY, {"kind": kind.name, "per_second": 5, "dry_run": True}, format="json")
    assert (dry.status_code, dry.json()) == (200, {"requeued": 1, "skipped": 0})
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize("rate", [0, -1, 1.5, "5", True, None, 10_001])
def test_a_rate_that_is_none_is_refused(api, kind: Kind, rate) -> None:
    bury(kind, "a")
    error_of(api.post(RETRY, {"kind": kind.name, "per_second": rate}, format="json"), 400)
    assert not BulkAction.objects.exists()


def test_a_rate_alone_names_nothing(api, kind: Kind) -> None:
    bury(kind, "a")
    error_of(api.post(RETRY, {"per_second": 5}, format="json"), 400)


def test_the_list_is_paged_filtered_and_costs_the_same_for_any_length(api, kind: Kind) -> None:
    counts = []
    for number in (1, 2):
        bury(kind, f"s{number}")
        for _ in range(6):
            api.post(RETRY, {"kind": kind.name, "per_second": 5}, format="json")
        with CaptureQueriesContext(connection) as queries:
            page = api.get(PATH, {"state": "waiting", "action": "retry_dead_letters"}).json()
        assert len(page["results"]) == 6 * number
        assert "criteria" not in page["results"][0]
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(api.get(PATH, {"page_size": 5}).json()["results"]) == 5
    assert api.get(PATH, {"state": "done"}).json()["results"] == []
    error_of(api.get(PATH, {"state": "nonsense"}), 400)


def test_a_stop_stops_and_a_second_one_is_a_conflict(api, kind: Kind) -> None:
    bury(kind, *"abc")
    url = api.post(RETRY, {"kind": kind.name, "per_second": 1}, format="json")["Location"]
    work_off()
    body = api.post(f"{url}/stop").json()
    assert (body["state"], body["done"], body["left"]) == ("stopped", 1, 2)
    error_of(api.post(f"{url}/stop"), 409)
    work_off()
    assert statuses(kind) == {"queued": 1, "dead": 2}


def test_an_unknown_one_is_a_404(api) -> None:
    error_of(api.get(f"{PATH}/{NOBODY}"), 404)
    error_of(api.post(f"{PATH}/{NOBODY}/stop"), 404)
