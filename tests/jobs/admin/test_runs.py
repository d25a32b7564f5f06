"""Runs in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from jobs.errors import InvalidInput
from jobs.kinds import Kind
from jobs.models import JobExecution, Run
from jobs.runs import attend
from tests.jobs.admin.conftest import MakePerson
from tests.jobs.runs.conftest import Numbers, finish
from tests.jobs.support import MakeKind

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/jobs/run/"


@pytest.fixture
def operator(person: MakePerson) -> Client:
    return person("болд", "view_run", "steer_run")


@pytest.fixture
def viewer(person: MakePerson) -> Client:
    return person("viewer", "view_run")


@pytest.fixture
def fed(make_kind: MakeKind) -> Kind:
    return make_kind(feed=Numbers([f"{number:05}" for number in range(30)]), batch_size=10, concurrency=1, linger=0.0)


@pytest.fixture
def begin(operator: Client, fed: Kind) -> Callable[..., Run]:
    def start(**options: Any) -> Run:
        answer = operator.post(reverse("admin:run_start", args=[fed.name]), {"priority": "low", "start": 1, **options})
        run = Run.objects.get(state="running")
        assert answer["Location"] == reverse("admin:jobs_run_change", args=[run.id])
        attend.attend_all()
        return run

    return start


def test_a_run_is_started_with_its_options_and_in_the_persons_name(begin: Callable[..., Run], fed: Kind) -> None:
    run = begin(limit=12, delay="")
    assert (run.total, run.requested_by, run.source) == (12, "болд", "admin")
    assert run.options == {"limit": 12, "priority": "low"}
    assert JobExecution.objects.count() == 12
    assert LogEntry.objects.get().object_id == str(run.id)


def test_a_dry_run_says_what_it_would_come_to_and_writes_nothing(operator: Client, fed: Kind) -> None:
    page = operator.post(reverse("admin:run_start", args=[fed.name]), {"priority": "low", "dry_run": 1})
    assert "What it would come to" in page.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": "x"}, {"priority": "urgent"}, {"delay": -1}])
def test_options_that_are_none_are_refused_on_the_form(operator: Client, fed: Kind, options: Any) -> None:
    page = operator.post(reverse("admin:run_start", args=[fed.name]), {"priority": "low", "start": 1, **options})
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert not Run.objects.exists()


def test_a_second_one_leads_to_the_first(begin: Callable[..., Run], operator: Client, fed: Kind) -> None:
    run = begin()
    answer = operator.post(reverse("admin:run_start", args=[fed.name]), {"priority": "low", "start": 1}, follow=True)
    assert "stop it, or wait for its end" in answer.content.decode()
    assert Run.objects.get() == run


def test_stop_and_resume_by_buttons_that_the_state_allows(
    begin: Callable[..., Run], operator: Client, fed: Kind
) -> None:
    run = begin()
    page = reverse("admin:jobs_run_change", args=[run.id])
    stop, resume = (reverse(f"admin:run_{verb}", args=[run.id]) for verb in ("stop", "resume"))
    shown = operator.get(page).content.decode()
    assert (stop in shown, resume in shown) == (True, False)
    operator.post(stop)
    run.refresh_from_db()
    assert run.state == "stopped"
    shown = operator.get(page).content.decode()
    assert (stop in shown, resume in shown) == (False, True)
    operator.post(resume)
    finish(fed)
    run.refresh_from_db()
    assert run.state == "completed"
    assert "completed" in operator.post(stop, follow=True).content.decode()


@pytest.mark.parametrize("verb", ["stop", "resume"])
def test_nothing_is_changed_by_looking_or_without_the_permission(
    begin: Callable[..., Run], operator: Client, viewer: Client, fed: Kind, verb: str
) -> None:
    run = begin()
    address = reverse(f"admin:run_{verb}", args=[run.id])
    assert operator.get(address).status_code == 405
    assert viewer.post(address).status_code == 403
    assert viewer.post(reverse("admin:run_start", args=[fed.name]), {"start": 1}).status_code == 403
    shown = viewer.get(reverse("admin:jobs_run_change", args=[run.id])).content.decode()
    assert reverse("admin:run_stop", args=[run.id]) not in shown
    run.refresh_from_db()
    assert run.state == "running"


def test_the_part_that_changes_says_when_it_is_over(begin: Callable[..., Run], operator: Client, fed: Kind) -> None:
    run = begin()
    address = reverse("admin:run_live", args=[run.id])
    assert f'data-live="{address}"' in operator.get(reverse("admin:jobs_run_change", args=[run.id])).content.decode()
    assert "data-live-over" not in operator.get(address).content.decode()
    finish(fed)
    shown = operator.get(address).content.decode()
    assert "data-live-over" in shown
    assert "30 of 30" in shown


def test_failures_lead_to_a_retry_of_this_runs_dead_letters_only(operator: Client, make_kind: MakeKind) -> None:
    def refuse(batch: Any) -> None:
        raise InvalidInput("<b>bad</b>")

    kind = make_kind(refuse, feed=Numbers(["a", "b"]), batch_size=10, linger=0.0)
    for _ in range(2):
        operator.post(reverse("admin:run_start", args=[kind.name]), {"priority": "low", "start": 1})
        attend.attend_all()
        finish(kind)
    run = Run.objects.first()
    assert run is not None
    shown = operator.get(reverse("admin:run_live", args=[run.id])).content.decode()
    assert "&lt;b&gt;bad&lt;/b&gt;" in shown
    assert "<b>bad</b>" not in shown
    retry = f"{reverse('admin:deadletters_retry')}?state=unresolved&amp;run={run.id}&amp;error_class=invalid_input"
    assert retry in shown


def test_the_list_takes_the_same_queries_for_any_number(
    operator: Client, fed: Kind, django_assert_num_queries: Any
) -> None:
    Run.objects.create(kind=fed.name, requested_by="x", source="api", total=1)
    operator.get(LIST)
    with django_assert_num_queries(7) as queries:
        operator.get(LIST)
    Run.objects.bulk_create(Run(kind=fed.name, requested_by="x", source="api", total=1) for _ in range(20))
    with django_assert_num_queries(len(queries)):
        assert operator.get(LIST).status_code == 200


def test_a_kind_without_feed_has_no_form(operator: Client, make_kind: MakeKind) -> None:
    kind = make_kind()
    assert operator.get(reverse("admin:run_start", args=[kind.name])).status_code == 404
    assert operator.get(reverse("admin:run_start", args=["nothing"])).status_code == 404
