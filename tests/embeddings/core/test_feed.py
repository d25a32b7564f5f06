"""What a run over all embeddings is about, and what a dry run says of it."""

from typing import Any

import pytest

from embeddings.feed import EmbeddingFeed
from embeddings.services import dry_run
from jobs.models import JobExecution

from .conftest import FakeProvider, business, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("provider")]

ALL: dict[str, Any] = {"skip_existing": True}


@pytest.fixture
def ids() -> list[str]:
    """Five businesses without vectors or jobs, in order; two of them have the same text."""
    made = sorted(str(business(name).pk) for name in ("A", "B", "C", "D", "D"))
    JobExecution.objects.all().delete()
    return made


def test_what_comes_before_the_beginning_is_not_counted(ids: list[str]) -> None:
    options = {**ALL, "resume_from": ids[1]}

    assert EmbeddingFeed().count(options) == 3
    assert dry_run(options)["total"] == 3
    page = EmbeddingFeed().page(options, run_id=JobExecution().id, after=ids[1], limit=10)
    assert [item.subject for item in page] == ids[2:]


def test_a_dry_run_keeps_the_limit(ids: list[str]) -> None:
    told = dry_run({**ALL, "limit": 2})

    assert told["total"] == 2
    assert told["texts"] + told["cached"] == 2


def test_a_dry_run_says_what_shares_a_vector(ids: list[str]) -> None:
    told = dry_run(ALL)

    assert (told["total"], told["texts"], told["cached"], told["unchanged"]) == (5, 4, 1, 0)


@pytest.mark.parametrize("stale_only", [False, True])
def test_what_is_fresh_is_neither_sent_nor_shared(provider: FakeProvider, stale_only: bool) -> None:
    for name in ("A", "B"):
        business(name)
    work()

    told = dry_run({"skip_existing": False, "stale_only": stale_only})

    assert (told["total"], told["texts"], told["cached"], told["unchanged"]) == (0 if stale_only else 2, 0, 0, 2)
