"""The page of one job."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs.actor import Actor
from jobs.errors import NetworkError, NotFound
from jobs.kinds import Kind
from jobs.lifecycle import retry
from jobs.models import JobExecution
from jobs.story import after, before, ended_with, story
from tests.jobs.admin.support import EVIL, body, bury
from tests.jobs.support import claimed, end, job_of, make_due, must_claim, waiting

from .conftest import MakePerson

pytestmark = pytest.mark.django_db(transaction=True)


def told(job: Any) -> list[str]:
    job = JobExecution.objects.get(pk=job.pk)
    return [moment.name for moment in story(job, job.attempts.all())]


def page(client: Client, job: JobExecution) -> str:
    return body(client, reverse("admin:jobs_jobexecution_change", args=[job.pk]))


def test_the_story_of_a_job_that_failed_once_and_succeeded(kind: Kind) -> None:
    claim = claimed(kind, "a")
    end(claim, NetworkError("refused"))
    assert told(job_of(claim)) == ["made", "attempt 1 began", "failed: network", "due"]
    make_due(job_of(claim))
    end(must_claim(kind), "embedded", steps=[{"progress": 10, "at": "2126-01-01T00:00:00+00:00"}])
    assert told(job_of(claim)) == ["made", "attempt 1 began", "failed: network", "succeeded: embedded", "claimed"]


def test_each_moment_tells_how_long_it_took(kind: Kind) -> None:
    claim = claimed(kind, "a")
    end(claim, NotFound("gone"))
    moments = story(job_of(claim), job_of(claim).attempts.all())
    assert moments[0].after is None
    assert all(moment.after >= 0 for moment in moments[1:])
    assert sum(moment.after or 0 for moment in moments) == pytest.approx(
        (moments[-1].at - moments[0].at).total_seconds()
    )


def test_jobs_that_ended_in_one_batch_know_of_each_other(kind: Kind) -> None:
    claim = claimed(kind, "a", "b", "c")
    end(claim, "embedded")
    alone = claimed(kind, "d")
    end(alone, "embedded")
    assert (ended_with(job_of(claim)), ended_with(job_of(alone))) == (2, 0)


def test_jobs_before_and_after_on_the_same_subject_are_told(kind: Kind) -> None:
    made = []
    for _ in range(3):
        made.append(claimed(kind, "a"))
        end(made[-1], "embedded")
    end(claimed(kind, "b"), "embedded")
    first, second, third = (job_of(each) for each in made)
    assert ([each.id for each in before(second)], [each.id for each in after(second)]) == ([first.id], [third.id])


def test_the_page_shows_attempts_letters_and_what_to_copy(person: MakePerson, kind: Kind) -> None:
    letter = bury(kind, "a", stack="Traceback: line 1")[0]
    retry(letter.job_id, actor=Actor("bold", "admin"))
    reader = person("reader", "view_jobexecution")
    shown = page(reader, letter.job)
    assert "retried by bold" in " ".join(shown.split())
    assert "Traceback: line 1" in shown
    assert f"/api/admin/jobs/{letter.job_id}" in shown
    payload = re.search(r'<pre class="yb-code" id="yb-payload">(.*?)</pre>', shown, re.DOTALL)
    assert payload is not None
    assert json.loads(payload[1].replace("&quot;", '"'))["job_id"] == str(letter.job_id)


def test_what_came_from_outside_is_escaped(person: MakePerson, kind: Kind) -> None:
    letter = bury(kind, "a", error=NotFound(EVIL), stack=EVIL, name=EVIL)[0]
    waiting(kind, "a", metadata={"triggered_by": EVIL, "source": "cli"})
    shown = page(person("reader", "view_jobexecution"), letter.job)
    assert EVIL not in shown
    assert shown.count("&lt;script&gt;") >= 4
