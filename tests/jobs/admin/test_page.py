"""The page of a dead letter."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from jobs import deadletters
from jobs.errors import NotFound, ServerError
from jobs.kinds import Kind
from jobs.models import DeadLetter, JobExecution
from tests.jobs.support import end, make_due, must_claim

from .support import EVIL, LIST, body, bury, page_of, said, shown

pytestmark = pytest.mark.django_db


def test_the_page_tells_everything(viewer: Client, kind: Kind) -> None:
    error = ServerError("upstream failed", status_code=503, sample="half an answer")
    letter = bury(kind, "subject-1", error=error, stack="line 88, in embed", name="Номин")[0]

    page = body(viewer, page_of(letter))

    for each in (
        "upstream failed",
        "server",
        "503",
        "half an answer",
        "line 88, in embed",
        "subject-1",
        "Номин",
        letter.fingerprint,
        "&quot;max_retries&quot;: 0",
        reverse("admin:jobs_jobexecution_change", args=[letter.job_id]),
    ):
        assert each in page


def test_everything_from_outside_is_escaped(viewer: Client, kind: Kind) -> None:
    letter = bury(kind, EVIL, error=ServerError(EVIL, sample=EVIL), stack=EVIL, name=EVIL)[0]
    deadletters.resolve([letter.job_id], resolved_by=EVIL, note=EVIL)

    page = body(viewer, page_of(letter))

    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 8


@pytest.mark.django_db(transaction=True)
def test_the_attempts_are_those_that_led_to_this_letter(viewer: Client, kind: Kind) -> None:
    first = bury(kind, "a", error=ServerError("first failure"))[0]
    deadletters.retry_one(first.job_id, triggered_by="x")
    JobExecution.objects.update(max_retries=1)
    end(must_claim(kind), ServerError("second failure"))
    make_due(JobExecution.objects.get())
    end(must_claim(kind), ServerError("third failure"))
    second = deadletters.unsettled().get()

    for letter, failures in ((first, ["first failure"]), (second, ["second failure", "third failure"])):
        attempts = viewer.get(page_of(letter)).context["attempts"]
        assert [attempt.error for attempt in attempts] == failures
        assert all(failure in body(viewer, page_of(letter)) for failure in failures)


@pytest.mark.django_db(transaction=True)
def test_the_other_letters_of_the_subject_are_one_link_away(viewer: Client, kind: Kind, make_kind) -> None:
    letter = bury(kind, "a & b")[0]
    deadletters.resolve([letter.job_id], resolved_by="x")
    bury(kind, "a & b")
    bury(kind, "c")
    bury(make_kind(batch_size=10, linger=0.0), "a & b")

    page = body(viewer, page_of(letter))

    assert "1 more dead letter<" in page
    query = f"?kind={kind.name}&subject=a%20%26%20b"
    assert query.replace("&", "&amp;") in page
    assert shown(viewer, query) == ["a & b", "a & b"]


def test_retry_makes_the_job_wait_and_shows_the_letter_again(operator: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]
    assert reverse("admin:deadletter_retry", args=[letter.pk]) in body(operator, page_of(letter))

    response = operator.post(reverse("admin:deadletter_retry", args=[letter.pk]))

    assert (response.status_code, response["Location"]) == (302, page_of(letter))
    assert said(operator) == ["1 requeued, 0 skipped."]
    assert JobExecution.objects.get().status == "queued"
    letter.refresh_from_db()
    assert (letter.resolution, letter.resolved_by) == ("retried", "болд")
    entry = LogEntry.objects.get()
    assert (entry.user.get_username(), entry.object_id, entry.change_message) == ("болд", str(letter.pk), "requeued")


@pytest.mark.parametrize("verb", ["retry", "resolve"])
def test_a_button_settles_no_other_letter(operator: Client, kind: Kind, verb: str) -> None:
    letter, other = bury(kind, "a", "b")

    operator.post(reverse(f"admin:deadletter_{verb}", args=[letter.pk]))

    assert deadletters.unsettled().get() == other


def test_resolve_keeps_the_note_and_the_job_stays_dead(operator: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    operator.post(reverse("admin:deadletter_resolve", args=[letter.pk]), {"note": "closed down"})

    letter.refresh_from_db()
    assert (letter.resolution, letter.resolved_by, letter.note) == ("resolved", "болд", "closed down")
    assert JobExecution.objects.get().status == "dead"
    assert LogEntry.objects.get().change_message == "resolved: closed down"
    assert "closed down" in body(operator, page_of(letter))


def test_a_note_that_is_too_long_changes_nothing(operator: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    response = operator.post(reverse("admin:deadletter_resolve", args=[letter.pk]), {"note": "x" * 2001})

    assert response.status_code == 400
    assert deadletters.unsettled().exists()


@pytest.mark.parametrize("verb", ["retry", "resolve"])
def test_a_button_pressed_twice_acts_once_and_says_so(operator: Client, kind: Kind, verb: str) -> None:
    letter = bury(kind, "a")[0]
    url = reverse(f"admin:deadletter_{verb}", args=[letter.pk])
    operator.post(url)
    said(operator)

    operator.post(url)

    past = {"retry": ("requeued", "retried"), "resolve": ("resolved", "resolved")}[verb]
    assert said(operator) == [f"0 {past[0]}, 1 skipped: 1 {past[1]} already."]
    assert LogEntry.objects.count() == 1


def test_a_settled_letter_has_no_buttons(operator: Client, kind: Kind) -> None:
    letter = bury(kind, "a", error=NotFound("gone"))[0]
    deadletters.resolve([letter.job_id], resolved_by="x")

    page = body(operator, page_of(letter))

    assert reverse("admin:deadletter_retry", args=[letter.pk]) not in page
    assert reverse("admin:deadletter_resolve", args=[letter.pk]) not in page


@pytest.mark.parametrize("verb", ["retry", "resolve"])
def test_a_link_to_a_button_changes_nothing(operator: Client, kind: Kind, verb: str) -> None:
    letter = bury(kind, "a")[0]

    assert operator.get(reverse(f"admin:deadletter_{verb}", args=[letter.pk])).status_code == 405
    assert deadletters.unsettled().exists()


def test_a_letter_that_is_not_there_is_not_found(operator: Client) -> None:
    assert operator.post(f"{LIST}12345/retry/").status_code == 404
    assert DeadLetter.objects.count() == 0
