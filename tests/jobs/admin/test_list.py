"""The list of dead letters."""

from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import deadletters
from jobs.admin import base
from jobs.errors import ServerError
from jobs.kinds import Kind
from jobs.models import DeadLetter

from .support import EVIL, LIST, body, bury, shown

pytestmark = pytest.mark.django_db


def test_the_unresolved_come_first_and_the_newest_of_them_on_top(viewer: Client, kind: Kind) -> None:
    letters = bury(kind, "old") + bury(kind, "new") + bury(kind, "settled")
    for minutes, letter in enumerate(letters):
        DeadLetter.objects.filter(pk=letter.pk).update(created_at=timezone.now() + timedelta(minutes=minutes))
    deadletters.resolve([letters[2].job_id], resolved_by="x")

    assert shown(viewer) == ["new", "old", "settled"]


def test_a_row_tells_what_matters(viewer: Client, kind: Kind) -> None:
    long = "upstream failed " * 30
    bury(kind, "a", error=ServerError(long), name="Номин ресторан")

    row = body(viewer, LIST)

    for each in ("Номин ресторан", kind.name, "server", "unresolved", "upstream failed"):
        assert each in row
    assert long[: deadletters.CLIP - 1] + "…" in row
    assert long[: deadletters.CLIP + 10] not in row


def test_names_and_reasons_from_outside_are_escaped(viewer: Client, kind: Kind) -> None:
    bury(kind, EVIL, error=ServerError(EVIL))
    bury(kind, "a", name=EVIL)

    row = body(viewer, LIST)

    assert EVIL not in row
    assert row.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


def test_the_list_costs_the_same_queries_for_any_length_and_reads_no_stacks(operator: Client, kind: Kind) -> None:
    bury(kind, "first")
    operator.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as few:
        operator.get(LIST)
    bury(kind, *[f"s{n}" for n in range(40)])

    with CaptureQueriesContext(connection) as many:
        assert len(shown(operator)) == 41

    assert len(many) == len(few) <= 6
    assert not [query for query in many if "error_details" in query["sql"]]


def test_the_list_counts_no_further_than_the_other_lists(viewer: Client, kind: Kind, monkeypatch) -> None:
    monkeypatch.setattr(base, "COUNT_LIMIT", 2)
    bury(kind, *"abc")

    assert viewer.get(LIST).context["cl"].result_count == 2


def test_filters_narrow_by_kind_class_state_cause_and_date(viewer: Client, kind: Kind, make_kind) -> None:
    other = make_kind(batch_size=10, linger=0.0)
    gone, busy, elsewhere = (
        bury(kind, "gone")[0],
        bury(kind, "busy", error=ServerError("1 s"))[0],
        bury(other, "else")[0],
    )
    old, retried = bury(kind, "old")[0], bury(kind, "retried")[0]
    DeadLetter.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=30))
    deadletters.resolve([gone.job_id], resolved_by="x")
    deadletters.retry_one(retried.job_id, triggered_by="x")
    week_ago = quote(str(timezone.now() - timedelta(days=7)))

    assert shown(viewer, f"?kind={other.name}") == ["else"]
    assert shown(viewer, "?error_class=server") == ["busy"]
    assert set(shown(viewer, "?state=unresolved")) == {"busy", "else", "old"}
    assert shown(viewer, "?state=resolved") == ["gone"]
    assert shown(viewer, "?state=retried") == ["retried"]
    assert shown(viewer, f"?fingerprint={busy.fingerprint}") == ["busy"]
    assert shown(viewer, f"?fingerprint={elsewhere.fingerprint}") == ["else"]
    assert "old" not in shown(viewer, f"?created_at__gte={week_ago}")
    assert len(shown(viewer, f"?created_at__gte={week_ago}")) == 4


@pytest.mark.parametrize("query", ["state=x", "kind=x", "error_class=x", "fingerprint=x", "fingerprint=", "state="])
def test_a_misspelt_filter_finds_nothing(viewer: Client, kind: Kind, query: str) -> None:
    bury(kind, "a")

    assert shown(viewer, f"?{query}") == []


def test_the_cause_that_is_asked_for_can_be_taken_off(viewer: Client, kind: Kind) -> None:
    letter = bury(kind, "a")[0]

    assert letter.fingerprint in body(viewer, f"{LIST}?fingerprint={letter.fingerprint}")
    assert letter.fingerprint not in body(viewer, LIST)


def test_a_letter_is_found_by_job_subject_name_and_reason(viewer: Client, kind: Kind) -> None:
    subject = str(uuid4())
    letter = bury(kind, subject, error=ServerError("the upstream is overloaded"), name="Номин ресторан")[0]
    bury(kind, "other")

    for term in (str(letter.job_id), subject, "номин", "upstream is"):
        assert shown(viewer, f"?q={term}") == [subject]
    assert shown(viewer, "?q=ресторан") == []
