"""Dead letters, and how the admin's pages are asked for them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from jobs.errors import JobError, NotFound
from jobs.kinds import Kind
from jobs.lifecycle import Failure
from jobs.models import DeadLetter
from tests.jobs.support import end, must_claim, waiting

LIST = "/admin/jobs/deadletter/"
EVIL = "<script>alert(1)</script>"


def bury(
    kind: Kind, *subjects: str, error: JobError | None = None, stack: str = "", name: str = ""
) -> list[DeadLetter]:
    """Have jobs die, as many at a time as the kind's claims take; return their letters in the order of `subjects`."""
    ids: list[UUID] = []
    for start in range(0, len(subjects), kind.batch_size):
        some = subjects[start : start + kind.batch_size]
        waiting(kind, *some, max_retries=0, metadata={"original_name": name} if name else {})
        claim = must_claim(kind)
        end(claim, {job.id: Failure(error or NotFound("gone"), stack=stack) for job in claim.jobs})
        ids += [job.id for job in claim.jobs]
    by_subject = {letter.subject: letter for letter in DeadLetter.objects.filter(job_id__in=ids)}
    return [by_subject[subject] for subject in subjects]


def shown(client: Client, query: str = "") -> list[str]:
    """Return the subjects that the list shows, in its order."""
    response = client.get(LIST + query)
    assert response.status_code == 200, response.content
    return [letter.subject for letter in response.context["cl"].result_list]


def body(client: Client, url: str) -> str:
    """Return a page's text."""
    response = client.get(url)
    assert response.status_code == 200, response.content
    return response.content.decode()


def select(client: Client, verb: str, *letters: DeadLetter, query: str = "", across: bool = False) -> Any:
    """Choose an action for rows of the list, as its form does."""
    data = {
        "action": f"{verb}_selected",
        "_selected_action": [letter.pk for letter in letters],
        "select_across": "1" if across else "0",
        "index": "0",
    }
    return client.post(LIST + query, data)


def confirm(client: Client, asked: Any, **more: str) -> HttpResponse:
    """Press the button of the page that asks."""
    assert asked.status_code == 200, asked.content
    form = asked.context["form"]
    hidden = {name: form[name].value() for name in ("chosen", "up_to") if form[name].value() is not None}
    return client.post(asked.context["action"], {**hidden, **more})  # type: ignore[return-value]


def said(client: Client) -> list[str]:
    """Return what the next page tells the person."""
    return [str(message) for message in client.get(LIST).context["messages"]]


def page_of(letter: DeadLetter) -> str:
    """Return the address of a letter's page."""
    return reverse("admin:jobs_deadletter_change", args=[letter.pk])
