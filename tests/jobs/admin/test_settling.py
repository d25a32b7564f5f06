"""Retrying and resolving many: a dry run, a confirmation, exact counts, and a log of who did it."""

from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs import deadletters
from jobs.errors import ServerError
from jobs.kinds import Kind
from jobs.models import DeadLetter, JobExecution
from tests.concurrency import at_once
from tests.jobs.support import MakeKind, statuses, waiting

from .conftest import MakePerson
from .support import EVIL, LIST, bury, confirm, said, select

pytestmark = pytest.mark.django_db
ANOTHER = deadletters.ANOTHER


def one_of_each(kind: Kind) -> list[DeadLetter]:
    """Make letters: two free ones, one retried, one resolved, one whose subject's job waits, two on one subject."""
    letters = bury(kind, "free", "also free", "retried", "resolved", "waits", "twice") + bury(kind, "twice")
    deadletters.retry_one(letters[2].job_id, triggered_by="x")
    deadletters.resolve([letters[3].job_id], resolved_by="x")
    waiting(kind, "waits")
    return letters


def unchanged() -> list[tuple[object, ...]]:
    """Return what settling changes."""
    letters = DeadLetter.objects.order_by("id").values_list("resolution", "resolved_by", "resolved_at")
    jobs = JobExecution.objects.order_by("id").values_list("id", "status", "operation")
    return [*letters, *jobs, (LogEntry.objects.count(),)]


def test_the_dry_run_says_what_would_be_requeued_and_why_the_rest_is_not(operator: Client, kind: Kind) -> None:
    letters = one_of_each(kind)
    before = unchanged()

    for asked in (select(operator, "retry", *letters), operator.get(f"{LIST}retry/")):
        assert (asked.context["changed"], asked.context["skipped"]) == (3, 4)
        assert asked.context["reasons"] == {"retried already": 1, "resolved already": 1, ANOTHER: 2}
        page = asked.content.decode()
        assert f"2: {ANOTHER}" in page
        assert "Retry 3" in page
    assert unchanged() == before


def test_a_resolution_skips_only_what_is_settled(operator: Client, kind: Kind) -> None:
    letters = one_of_each(kind)
    before = unchanged()

    asked = select(operator, "resolve", *letters)

    assert (asked.context["changed"], asked.context["reasons"]) == (5, {"retried already": 1, "resolved already": 1})
    assert unchanged() == before


def test_what_is_done_is_what_the_dry_run_said(operator: Client, kind: Kind) -> None:
    letters = one_of_each(kind)

    response = confirm(operator, select(operator, "retry", *letters))

    assert (response.status_code, response["Location"]) == (302, LIST)
    assert said(operator) == [f"3 requeued, 4 skipped: 2 {ANOTHER}, 1 resolved already, 1 retried already."]
    retried = DeadLetter.objects.filter(resolved_by="болд")
    assert {letter.subject for letter in retried} == {"free", "also free", "twice"}
    assert statuses(kind) == {"queued": 5, "dead": 3}


def test_only_the_selected_rows_are_settled(operator: Client, kind: Kind) -> None:
    letters = bury(kind, *"abcd")

    confirm(operator, select(operator, "resolve", *letters[:2]), note="closed down")

    assert said(operator) == ["2 resolved, 0 skipped."]
    settled = DeadLetter.objects.exclude(resolution="")
    assert {(letter.subject, letter.note, letter.resolved_by) for letter in settled} == {
        ("a", "closed down", "болд"),
        ("b", "closed down", "болд"),
    }


@pytest.mark.parametrize("verb", ["retry", "resolve"])
def test_all_that_match_the_filter_are_settled_beyond_the_page(operator: Client, make_kind, verb: str) -> None:
    kind = make_kind(batch_size=100, linger=0.0)
    letters = bury(kind, *[f"s{n}" for n in range(60)], error=ServerError("busy"))
    bury(kind, "other")
    query = "?error_class=server&o=4"

    asked = select(operator, verb, letters[0], query=query, across=True)
    assert (asked.context["changed"], asked.context["by_filter"]) == (60, True)
    response = confirm(operator, asked)

    assert response["Location"] == f"{LIST}{query}"
    assert deadletters.unsettled().get().subject == "other"
    assert LogEntry.objects.count() == 60


def test_a_page_that_is_gone_once_its_letters_are_settled_is_not_asked_for(operator: Client, make_kind) -> None:
    letters = bury(make_kind(batch_size=100, linger=0.0), *[f"s{n}" for n in range(60)])
    asked = select(operator, "resolve", letters[0], query="?p=2&state=unresolved", across=True)

    for _ in range(2):
        assert confirm(operator, asked)["Location"] == f"{LIST}?state=unresolved"

    assert not deadletters.unsettled().exists()


def test_letters_that_come_after_the_question_are_left_out(operator: Client, kind: Kind) -> None:
    bury(kind, "before")
    asked = operator.get(f"{LIST}retry/?state=unresolved")
    bury(kind, "after")

    confirm(operator, asked)

    assert said(operator) == ["1 requeued, 0 skipped."]
    assert deadletters.unsettled().get().subject == "after"


@pytest.mark.parametrize("verb", ["retry", "resolve"])
def test_a_confirmation_sent_twice_settles_each_once(operator: Client, kind: Kind, verb: str) -> None:
    asked = select(operator, verb, *bury(kind, *"abc"))
    confirm(operator, asked)
    said(operator)

    confirm(operator, asked)

    past = {"retry": ("requeued", "retried"), "resolve": ("resolved", "resolved")}[verb]
    assert said(operator) == [f"0 {past[0]}, 3 skipped: 3 {past[1]} already."]
    assert LogEntry.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_operators_who_confirm_at_once_requeue_each_job_once(person: MakePerson, make_kind: MakeKind) -> None:
    kind = make_kind(batch_size=100, linger=0.0)
    letters = bury(kind, *[f"s{n}" for n in range(100)])
    both = [person(name, "view_deadletter", "retry_job", "resolve_deadletter") for name in ("one", "two")]
    asked = [select(both[0], "retry", *letters), both[1].get(f"{LIST}retry/?state=unresolved")]

    responses = at_once(*[partial(confirm, client, question) for client, question in zip(both, asked, strict=True)])

    assert [response.status_code for response in responses] == [302, 302]
    assert statuses(kind) == {"queued": 100}
    assert LogEntry.objects.count() == 100
    for letter in DeadLetter.objects.select_related("job"):
        entry = LogEntry.objects.get(object_id=str(letter.pk))
        assert entry.user.get_username() == letter.resolved_by == letter.job.metadata["triggered_by"]


def test_the_log_says_who_did_what_to_each_letter(operator: Client, kind: Kind) -> None:
    letters = one_of_each(kind)

    confirm(operator, select(operator, "retry", letters[0], letters[2]))
    confirm(operator, select(operator, "resolve", letters[1], letters[3]), note="closed down")

    entries = LogEntry.objects.order_by("id")
    assert [
        (entry.user.get_username(), entry.object_id, entry.change_message, entry.object_repr) for entry in entries
    ] == [
        ("болд", str(letters[0].pk), "requeued", str(letters[0])),
        ("болд", str(letters[1].pk), "resolved: closed down", str(letters[1])),
    ]


@pytest.mark.parametrize("verb", ["retry", "resolve"])
def test_a_chunk_costs_the_same_queries_for_any_number_of_letters(operator: Client, make_kind, verb: str) -> None:
    ContentType.objects.get_for_model(DeadLetter)  # Kept in memory once it is known.
    counts = []
    for size in (5, 90):
        letters = bury(make_kind(batch_size=100, linger=0.0), *[f"{size}-{n}" for n in range(size)])
        asked = select(operator, verb, *letters)
        with CaptureQueriesContext(connection) as queries:
            confirm(operator, asked)
        counts.append(len(queries))

    assert LogEntry.objects.count() == 95
    assert counts[0] == counts[1] < 40


def test_a_filter_that_does_not_exist_is_refused_before_anything_happens(operator: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    assert operator.get(f"{LIST}retry/?eror_class=auth").status_code == 400
    assert operator.post(f"{LIST}retry/?eror_class=auth", {"up_to": letter.pk}).status_code == 400
    assert deadletters.unsettled().exists()


@pytest.mark.parametrize("verb", ["retry", "resolve"])
@pytest.mark.parametrize(
    "given", [{}, {"up_to": ""}, {"up_to": "x"}, {"chosen": "1,x"}, {"up_to": str(2**63)}, {"chosen": str(2**63)}]
)
def test_a_confirmation_that_names_nothing_is_refused(operator: Client, kind: Kind, verb: str, given) -> None:
    bury(kind, "a")

    assert operator.post(f"{LIST}{verb}/", given).status_code == 400
    assert deadletters.unsettled().exists()


def test_a_misspelt_filter_settles_nothing(operator: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    for query in ("fingerprint=", "state=x", "error_class=x", "kind=x"):
        asked = operator.get(f"{LIST}retry/?{query}")
        assert (asked.context["changed"], asked.context["skipped"]) == (0, 0)
        operator.post(f"{LIST}retry/?{query}", {"up_to": letter.pk})

    assert deadletters.unsettled().exists()


def test_the_filter_is_shown_escaped(operator: Client, kind: Kind) -> None:
    page = operator.get(f"{LIST}retry/", {"q": EVIL}).content.decode()

    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
