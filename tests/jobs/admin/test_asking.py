"""Cancelling and retrying many jobs, and what is too much for one request: asked first, then in the background."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from jobs import deadletters
from jobs.bulk import at_once
from jobs.kinds import Kind
from jobs.models import BulkAction, JobExecution
from jobs.states import Status
from tests.jobs.bulk.support import work_off
from tests.jobs.support import MakeKind, put, statuses, waiting

from .conftest import MakePerson
from .support import EVIL, LIST, bury, confirm, select

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "/admin/jobs/jobexecution/"


@pytest.fixture
def steerer(person: MakePerson) -> Client:
    """Somebody who may cancel and retry jobs."""
    return person("дорж", "view_jobexecution", "view_bulkaction", "cancel_job", "retry_job")


@pytest.fixture
def _little_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once, "AT_ONCE", 3)


def choose(client: Client, name: str, *jobs: JobExecution, query: str = "", across: bool = False) -> Any:
    """Choose an action for rows of the list, as its form does."""
    data = {
        "action": f"{name}_selected",
        "_selected_action": [str(job.pk) for job in jobs],
        "select_across": "1" if across else "0",
        "index": "0",
    }
    return client.post(JOBS + query, data)


def messages(client: Client) -> list[str]:
    return [str(message) for message in client.get(JOBS).context["messages"]]


def begun(response: HttpResponse) -> BulkAction:
    bulk = BulkAction.objects.get()
    assert response["Location"] == reverse("admin:jobs_bulkaction_change", args=[bulk.id])
    return bulk


def test_selected_jobs_are_asked_about_and_then_cancelled_with_the_reason_in_the_log(
    steerer: Client, kind: Kind
) -> None:
    jobs = [put(kind, status, status) for status in (Status.QUEUED, Status.RETRYING, Status.DEAD, Status.SUCCEEDED)]
    put(kind, "not chosen", Status.QUEUED)

    asked = choose(steerer, "cancel", *jobs)
    assert (asked.context["changed"], asked.context["reasons"]) == (2, {"it is dead": 1, "it is succeeded": 1})
    assert statuses(kind) == {"queued": 2, "retrying": 1, "dead": 1, "succeeded": 1}
    confirm(steerer, asked, note="a wrong import")

    assert messages(steerer) == ["2 cancelled, 2 skipped: 1 it is dead, 1 it is succeeded."]
    assert statuses(kind) == {"queued": 1, "cancelled": 2, "dead": 1, "succeeded": 1}
    assert {(entry.object_id, entry.change_message) for entry in LogEntry.objects.all()} == {
        (str(jobs[0].id), "cancelled (was queued): a wrong import"),
        (str(jobs[1].id), "cancelled (was retrying): a wrong import"),
    }


def test_all_that_match_the_filter_are_retried_beyond_the_page_and_nothing_else(
    steerer: Client, make_kind: MakeKind
) -> None:
    kind, other = make_kind(), make_kind()
    dead = [put(kind, f"s{n}", Status.DEAD) for n in range(60)]
    put(other, "x", Status.DEAD)
    query = f"?kind={kind.name}&status__exact=dead"

    asked = choose(steerer, "retry", dead[0], query=query, across=True)
    put(kind, "later", Status.DEAD)
    assert (asked.context["changed"], asked.context["by_filter"]) == (60, True)
    response = confirm(steerer, asked)

    assert response["Location"] == JOBS + query
    assert messages(steerer) == ["60 waiting again, 0 skipped."]
    assert JobExecution.objects.get(kind=kind.name, status="dead").subject == "later"
    assert statuses(other) == {"dead": 1}


@pytest.mark.usefixtures("_little_at_once")
def test_more_than_a_person_waits_for_is_done_in_the_background(steerer: Client, kind: Kind) -> None:
    waiting(kind, *"abcde")

    asked = steerer.get(f"{JOBS}cancel/?kind={kind.name}")
    assert "More than 3: this works in the background" in asked.content.decode()
    response = confirm(steerer, asked, note="a wrong import")

    bulk = begun(response)
    assert (bulk.action, bulk.total, bulk.requested_by, bulk.note) == ("cancel_jobs", 5, "дорж", "a wrong import")
    assert statuses(kind) == {"queued": 5}
    waiting(kind, "later")
    work_off()
    assert statuses(kind) == {"cancelled": 5, "queued": 1}
    assert steerer.get(response["Location"]).status_code == 200


@pytest.mark.usefixtures("_little_at_once")
def test_as_many_as_a_person_waits_for_are_done_at_once(steerer: Client, kind: Kind) -> None:
    waiting(kind, *"abc")
    asked = steerer.get(f"{JOBS}cancel/?kind={kind.name}")
    assert "in the background, batch" not in asked.content.decode()
    confirm(steerer, asked)
    assert statuses(kind) == {"cancelled": 3}
    assert not BulkAction.objects.exists()


def test_a_retry_with_a_rate_is_done_in_the_background_however_few_there_are(
    operator: Client, make_kind: MakeKind
) -> None:
    kind = make_kind(batch_size=100, linger=0.0)
    letters = bury(kind, *"abc")
    bury(kind, "other")

    asked = select(operator, "retry", *letters)
    assert 'name="per_second"' in asked.content.decode()
    bulk = begun(confirm(operator, asked, per_second="2"))

    assert (bulk.per_second, bulk.total, bulk.criteria) == (2, 3, {"ids": [str(each.pk) for each in reversed(letters)]})
    assert deadletters.unsettled().count() == 4
    work_off()
    assert deadletters.unsettled().count() == 2


def test_a_rate_by_filter_keeps_the_filter_and_the_cut_off(operator: Client, make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=100, linger=0.0)
    bury(kind, *"abc")
    asked = operator.get(f"{LIST}retry/?state=unresolved&kind={kind.name}&p=0&o=4")
    bulk = begun(confirm(operator, asked, per_second="100"))
    bury(kind, "later")
    bury(make_kind(), "other")
    work_off()
    assert bulk.criteria == {"admin": {"state": ["unresolved"], "kind": [kind.name]}}
    assert {letter.subject for letter in deadletters.unsettled()} == {"later", "other"}


@pytest.mark.parametrize("rate", ["0", "-1", "x", "1.5", "10001"])
def test_a_rate_that_is_none_is_refused(operator: Client, kind: Kind, rate: str) -> None:
    asked = select(operator, "retry", *bury(kind, "a"))
    assert confirm(operator, asked, per_second=rate).status_code == 400
    assert deadletters.unsettled().exists()


def test_a_resolution_and_a_cancellation_have_no_rate(operator: Client, steerer: Client, kind: Kind) -> None:
    assert 'name="per_second"' not in select(operator, "resolve", *bury(kind, "a")).content.decode()
    assert 'name="per_second"' not in choose(steerer, "cancel", *waiting(kind, "b")).content.decode()


@pytest.mark.parametrize(
    "given", [{}, {"up_to": "x"}, {"up_to": "2026-01-01T00:00"}, {"chosen": "1"}, {"chosen": "x,"}]
)
def test_a_confirmation_that_names_nothing_is_refused(steerer: Client, kind: Kind, given: dict[str, str]) -> None:
    waiting(kind, "a")
    assert steerer.post(f"{JOBS}cancel/", given).status_code == 400
    assert statuses(kind) == {"queued": 1}


def test_a_filter_that_does_not_exist_is_refused(steerer: Client, kind: Kind) -> None:
    waiting(kind, "a")
    assert steerer.get(f"{JOBS}cancel/?statuss=queued").status_code == 400


def test_who_may_only_see_is_offered_nothing_and_refused(person: MakePerson, kind: Kind) -> None:
    viewer = person("viewer", "view_jobexecution", "view_bulkaction")
    job = waiting(kind, "a")[0]
    page = viewer.get(JOBS).content.decode()
    for name in ("cancel", "retry"):
        assert f"{name}_selected" not in page
        assert f"{JOBS}{name}/" not in page
        assert viewer.get(f"{JOBS}{name}/").status_code == 403
        assert viewer.post(f"{JOBS}{name}/", {"chosen": str(job.pk)}).status_code == 403
    retrier = person("retrier", "view_jobexecution", "retry_job")
    assert f"{JOBS}retry/" in retrier.get(JOBS).content.decode()
    assert retrier.post(f"{JOBS}cancel/", {"chosen": str(job.pk)}).status_code == 403
    assert statuses(kind) == {"queued": 1}


def test_the_question_shows_the_filter_escaped(steerer: Client) -> None:
    page = steerer.get(f"{JOBS}cancel/", {"q": EVIL}).content.decode()
    assert EVIL not in page
    assert re.search("&lt;script&gt;", page)
