"""Dead letters grouped by cause."""

import re
from html import unescape

import pytest
from django.test import Client

from jobs import deadletters
from jobs.admin import deadletters as admin_of_deadletters
from jobs.errors import NotFound, ServerError
from jobs.kinds import Kind

from .support import EVIL, LIST, body, bury, confirm, page_of, shown

pytestmark = pytest.mark.django_db
CAUSES = f"{LIST}causes/"


def links(page: str, text: str) -> list[str]:
    """Return the addresses of the links with a text."""
    return [unescape(url) for url in re.findall(rf'href="([^"]*)">{re.escape(text)}', page)]


def test_causes_come_with_counts_times_and_an_example_the_most_frequent_first(viewer: Client, kind: Kind) -> None:
    bury(kind, "single", error=NotFound("gone"))
    first = bury(kind, "a0", error=ServerError("failed after 1 s"))[0]
    last = bury(kind, "a1", error=ServerError("failed after 2 s"))[0]
    settled = bury(kind, "b", error=NotFound("settled long ago"))[0]
    deadletters.resolve([settled.job_id], resolved_by="x")

    response = viewer.get(CAUSES)

    causes = response.context["causes"]
    assert [(cause["error_class"], cause["count"]) for cause in causes] == [("server", 2), ("not_found", 1)]
    assert (causes[0]["first"], causes[0]["last"]) == (first.created_at, last.created_at)
    page = response.content.decode()
    assert "failed after 2 s" in page
    assert links(page, "the newest dead letter")[0] == page_of(last)


def test_show_these_lists_the_unresolved_letters_of_the_cause(viewer: Client, kind: Kind) -> None:
    bury(kind, "other", error=NotFound("gone"))
    same = bury(kind, "a", "b", "c", error=ServerError("failed"))
    deadletters.resolve([same[2].job_id], resolved_by="x")

    url = links(body(viewer, CAUSES), "Show these")[0]

    assert sorted(shown(viewer, url.removeprefix(LIST))) == ["a", "b"]


def test_retry_this_cause_asks_first_and_takes_no_other_cause_along(operator: Client, kind: Kind) -> None:
    bury(kind, "other", error=NotFound("gone"))
    bury(kind, "a", "b", error=ServerError("failed"))
    url = links(body(operator, CAUSES), "Retry this cause")[0]

    asked = operator.get(url)
    assert (asked.context["changed"], asked.context["skipped"]) == (2, 0)
    assert deadletters.unsettled().count() == 3
    confirm(operator, asked)

    assert deadletters.unsettled().get().subject == "other"


def test_an_example_from_outside_is_escaped(viewer: Client, kind: Kind) -> None:
    bury(kind, "a", error=ServerError(EVIL))

    page = body(viewer, CAUSES)

    assert EVIL not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_says_so_when_there_are_more_causes_than_it_shows(viewer: Client, kind: Kind, monkeypatch) -> None:
    monkeypatch.setattr(admin_of_deadletters, "MOST_CAUSES", 2)
    for word in ("one", "two"):
        bury(kind, word, error=ServerError(f"failed {word}"))
    assert "most frequent causes" not in body(viewer, CAUSES)
    bury(kind, "three", error=ServerError("failed three"))

    page = body(viewer, CAUSES)

    assert "The 2 most frequent causes" in page
    assert len(links(page, "Show these")) == 2


def test_the_page_of_causes_costs_the_same_queries_for_any_number(
    viewer: Client, kind: Kind, django_assert_num_queries
):
    for word in ("one", "two", "three", "four"):
        bury(kind, word, error=ServerError(f"failed {word}"))
    viewer.get(CAUSES)

    # Session, person, their permissions (own and of groups), causes.
    with django_assert_num_queries(5):
        viewer.get(CAUSES)
