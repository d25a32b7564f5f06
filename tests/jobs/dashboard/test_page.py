"""The admin's index and what it asks for."""

import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs import lanes, workers
from jobs.actor import Actor
from jobs.admin import dashboard
from jobs.errors import AuthError, NotFound
from jobs.history import gauges
from jobs.kinds import Kind
from jobs.models import Lane, PeriodicTask, WorkerProcess
from jobs.runs import start_fed_run
from jobs.states import Source
from tests.jobs.admin.support import EVIL, bury
from tests.jobs.support import MakeKind, claimed, end, long_ago, waiting

pytestmark = pytest.mark.django_db(transaction=True)

INDEX, LIVE = reverse("admin:index"), reverse("dashboard_live")
#: Queries that one refresh may take.
MOST_QUERIES = 12


def member(group: str) -> Client:
    """Log somebody in who is in a group of operators and nothing else."""
    # A flush of the tables by another test took what the migration had made.
    import_module("yellowbook.directory.migrations.0002_operator_groups").make_groups(apps, connection.schema_editor())
    user = User.objects.create_user(f"of {group}", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(db: None) -> Client:
    return member("Operators")


@pytest.fixture
def reader(db: None) -> Client:
    return member("Operators (read only)")


def panels(client: Client, **query: Any) -> dict[str, str]:
    """Return the panels that a refresh brings, as text without tags."""
    response = client.get(LIVE, query)
    assert response.status_code == 200, response.content
    return {name: panel["html"] for name, panel in response.json()["panels"].items()}


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def alive(**changes: Any) -> None:
    workers.enter_registry(9)
    WorkerProcess.objects.filter(name=workers.worker_name()).update(**changes)


class TestVerdict:
    def test_all_is_well_when_nothing_fires(self, operator: Client) -> None:
        alive()
        assert "All well" in text(panels(operator)["verdict"])

    def test_without_a_worker_it_says_so_and_what_to_do(self, operator: Client) -> None:
        told = text(panels(operator)["verdict"])
        assert "No worker is alive" in told
        assert "Start manage.py rundramatiq" in told

    def test_a_refused_key_is_named_at_once(self, operator: Client, kind: Kind) -> None:
        alive()
        end(claimed(kind, "a"), AuthError("API key not valid"))
        told = panels(operator)
        assert "The provider refuses" in text(told["verdict"])
        assert "API key not valid" in text(told["verdict"])
        assert "paused by the system: auth" in text(told["lanes"])

    def test_a_lane_that_a_person_paused_is_no_problem(self, operator: Client, kind: Kind) -> None:
        alive()
        lanes.pause(kind.name, actor=Actor("bold", Source.ADMIN), reason="maintenance")
        told = panels(operator)
        assert "All well" in text(told["verdict"])
        assert "paused maintenance by bold" in text(told["lanes"])


class TestNumbers:
    def test_they_are_those_of_the_rows(self, operator: Client, kind: Kind) -> None:
        alive()
        end(claimed(kind, "a", "b", "c"), "embedded")
        bury(kind, "d")
        waiting(kind, "e", "f")
        gauges.sample()
        told = text(panels(operator)["cards"])
        assert "Waiting 2 " in told
        assert "25.0% off target" not in told
        assert "1 of 4 jobs in the last hour" in told
        assert "Dead letters 1 " in told
        assert "Workers alive 1 9 threads" in told

    def test_a_number_beyond_its_target_is_marked_in_words(self, operator: Client, settings: Any, kind: Kind) -> None:
        settings.ALERT_WAITING_JOBS = 1
        waiting(kind, "e", "f")
        assert "2 off target" in text(panels(operator)["cards"])

    def test_waiting_jobs_are_not_counted_without_end(
        self, operator: Client, kind: Kind, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in ("look", "job_cards"):
            monkeypatch.setattr(f"jobs.dashboard.{module}.COUNT_LIMIT", 3)
        waiting(kind, "a", "b", "c", "d")
        assert "3+" in text(panels(operator)["lanes"])

    @pytest.mark.parametrize("span", ["1h", "24h", "7d", "nonsense"])
    def test_charts_tell_in_words_what_they_draw(self, operator: Client, kind: Kind, span: str) -> None:
        end(claimed(kind, "a"), "embedded")
        bury(kind, "b")
        told = text(panels(operator, span=span)["charts"])
        assert "1 succeeded, 0 cancelled, 0 failed, tried again, 1 dead" in told

    def test_charts_are_made_again_after_a_while_and_for_each_span_and_language(
        self, operator: Client, kind: Kind
    ) -> None:
        def told(**given: str) -> str:
            return text(panels(operator, **given)["charts"])

        before = told(span="1h")
        end(claimed(kind, "a"), "embedded")
        assert told(span="1h") == before
        assert "1 succeeded" in told(span="24h")
        for key, (_, html) in dashboard._kept.items():
            dashboard._kept[key] = (-1000.0, html)
        assert "1 succeeded" in told(span="1h")


class TestLive:
    def test_only_what_has_changed_is_sent(self, operator: Client, kind: Kind) -> None:
        alive()
        first = operator.get(LIVE).json()["panels"]
        have = [f"{name}:{panel['hash']}" for name, panel in first.items()]
        assert operator.get(LIVE, {"have": have}).json()["panels"] == {}

        lanes.pause(kind.name, actor=Actor("bold", Source.ADMIN))
        assert set(operator.get(LIVE, {"have": have}).json()["panels"]) == {"lanes"}

    def test_the_page_has_what_a_refresh_would_bring(self, operator: Client) -> None:
        alive()
        page = operator.get(INDEX).content.decode()
        have = re.findall(r'data-panel="(\w+)" data-hash="(\w+)"', page)
        assert len(have) >= 8
        assert operator.get(LIVE, {"have": [":".join(each) for each in have]}).json()["panels"] == {}

    def test_a_refresh_takes_few_queries_whatever_there_is_to_show(
        self, operator: Client, make_kind: MakeKind, kind: Kind
    ) -> None:
        alive()
        for _ in range(5):
            bury(make_kind(), "a", "b")
        end(claimed(kind, "a"), AuthError("no"))
        gauges.sample()
        with CaptureQueriesContext(connection) as queries:
            panels(operator, span="7d")
        assert len(queries) <= MOST_QUERIES, [query["sql"][:100] for query in queries]

    def test_strangers_and_staff_without_permission_see_nothing(self, client: Client) -> None:
        assert client.get(LIVE).status_code == 302
        client.force_login(User.objects.create_user("clerk", is_staff=True))
        assert client.get(LIVE).status_code == 403
        assert b"data-panel" not in client.get(INDEX).content

    def test_what_came_from_outside_is_escaped(self, operator: Client, kind: Kind) -> None:
        alive(version=EVIL[:40], host=EVIL)
        bury(kind, "a", error=NotFound(EVIL))
        lanes.pause(kind.name, actor=Actor(EVIL, Source.ADMIN), reason=EVIL)
        told = panels(operator)
        for name in ("failures", "lanes", "workers"):
            assert "&lt;script&gt;" in told[name]
            assert "<script" not in told[name]


class TestSteering:
    def test_a_lane_is_paused_for_a_reason_and_resumed(self, operator: Client, kind: Kind) -> None:
        operator.post(reverse("admin:lane_pause", args=[kind.name]), {"reason": "the key is being changed"})
        lane = Lane.objects.get(kind=kind.name)
        assert (lane.pause_reason, lane.paused_by) == ("the key is being changed", "of Operators")
        operator.post(reverse("admin:lane_resume", args=[kind.name]))
        assert Lane.objects.get(kind=kind.name).paused_at is None
        assert [entry.change_message for entry in LogEntry.objects.order_by("id")] == [
            "paused: the key is being changed (was open)",
            "resumed (was paused (of Operators))",
        ]

    def test_a_pause_without_a_reason_is_refused(self, operator: Client, kind: Kind) -> None:
        response = operator.post(reverse("admin:lane_pause", args=[kind.name]), {"reason": " "}, follow=True)
        assert "Say why" in response.content.decode()
        assert not Lane.objects.filter(kind=kind.name, paused_at__isnull=False).exists()

    def test_a_lane_that_does_not_exist_is_not_found(self, operator: Client) -> None:
        assert operator.post(reverse("admin:lane_pause", args=["nothing"]), {"reason": "x"}).status_code == 404

    def test_a_cause_is_retried_by_one_press(self, operator: Client, kind: Kind) -> None:
        letters = bury(kind, "a", "b")
        form = re.search(r'action="([^"]*/retry/[^"]*)".*?name="up_to" value="(\d+)"', panels(operator)["failures"])
        assert form is not None
        later = bury(kind, "c")
        response = operator.post(form[1].replace("&amp;", "&"), {"up_to": form[2], "back": "dashboard"})
        assert response["Location"] == INDEX
        settled = [type(letter).objects.get(pk=letter.pk).resolution for letter in (*letters, *later)]
        assert settled == ["retried", "retried", ""]

    def test_a_run_is_stopped_and_resumed_from_the_dashboard(self, operator: Client) -> None:
        run = start_fed_run("generate_embedding", {}, actor=Actor("bold", Source.ADMIN))
        lanes.pause("generate_embedding", actor=Actor("bold", Source.ADMIN))
        response = operator.post(reverse("admin:run_stop", args=[run.id]), {"back": "dashboard"})
        assert response["Location"] == INDEX

    def test_periodic_work_is_run_now_and_switched(self, operator: Client) -> None:
        url = reverse("dashboard_task", args=["prune"])
        for act in ("run", "disable"):
            operator.post(url, {"act": act})
        task = PeriodicTask.objects.get(name="prune")
        assert (task.enabled, task.last_job is not None) == (False, True)
        assert "switched off" in text(panels(operator)["schedule"])
        operator.post(url, {"act": "enable"})
        assert PeriodicTask.objects.get(name="prune").enabled
        assert LogEntry.objects.count() == 3

    def test_what_is_no_action_or_no_schedule_is_refused(self, operator: Client) -> None:
        assert operator.post(reverse("dashboard_task", args=["prune"]), {"act": "explode"}).status_code == 400
        assert operator.post(reverse("dashboard_task", args=["nothing"]), {"act": "run"}).status_code == 404

    def test_the_read_only_group_sees_all_and_can_do_nothing(self, reader: Client, kind: Kind) -> None:
        alive()
        letter = bury(kind, "a")[0]
        run = start_fed_run("generate_embedding", {}, actor=Actor("bold", Source.ADMIN))
        told = panels(reader)
        assert set(told) >= {"verdict", "cards", "charts", "lanes", "runs", "workers", "failures", "schedule"}
        assert "<form" not in "".join(told.values())
        for url in (
            reverse("admin:lane_pause", args=[kind.name]),
            reverse("admin:lane_resume", args=[kind.name]),
            reverse("admin:run_stop", args=[run.id]),
            reverse("admin:run_resume", args=[run.id]),
            reverse("admin:run_start", args=["generate_embedding"]),
            reverse("admin:deadletters_retry"),
            reverse("admin:deadletters_resolve"),
            reverse("admin:deadletter_retry", args=[letter.pk]),
            reverse("admin:job_cancel", args=[letter.job_id]),
            reverse("admin:job_retry", args=[letter.job_id]),
            reverse("dashboard_task", args=["prune"]),
        ):
            assert reader.post(url, {"reason": "x", "act": "run", "up_to": letter.pk}).status_code == 403, url
        assert LogEntry.objects.count() == 0

    def test_a_get_changes_nothing(self, operator: Client, kind: Kind) -> None:
        for url in (
            reverse("admin:lane_pause", args=[kind.name]),
            reverse("admin:lane_resume", args=[kind.name]),
            reverse("dashboard_task", args=["prune"]),
        ):
            assert operator.get(url).status_code == 405


class TestWorkersAndLanes:
    def test_a_lane_that_no_worker_serves_is_marked(self, operator: Client) -> None:
        alive(queues=["prune"])
        told = text(panels(operator)["lanes"])
        assert re.search(r"generate_embedding no worker consumes this", told)
        assert not re.search(r"prune no worker consumes this", told)

    def test_workers_of_different_versions_are_marked(self, operator: Client) -> None:
        alive()
        assert "Different versions" not in text(panels(operator)["workers"])
        WorkerProcess.objects.create(name="other:1-a", host="other", pid=1, version="0.0.1", threads=1, state="running")
        assert "Different versions are at work: 0.0.1" in text(panels(operator)["workers"])

    def test_a_worker_that_does_not_beat_is_not_shown_as_running(self, operator: Client) -> None:
        alive(last_heartbeat_at=long_ago(600))
        assert "silent" in text(panels(operator)["workers"])
