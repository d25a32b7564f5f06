"""What ended, by minute and hour."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from jobs import lifecycle
from jobs.actor import Actor
from jobs.errors import NetworkError, NotFound
from jobs.history.buckets import quantile
from jobs.history.tallies import BATCH, Counted, counted, group_of, merge
from jobs.kinds import Kind
from jobs.lifecycle import take_back_expired
from jobs.models import Ending, JobExecution, Step, Tally
from tests.concurrency import at_once
from tests.jobs.support import ahead, claimed, end, expire, long_ago, make_due, must_claim, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def of(kind: Kind, step: Step = Step.HOUR, since: datetime | None = None) -> list[Counted]:
    """Return what is counted of a kind, merged or not."""
    return [each for each in counted({step: since or long_ago(60)})[step] if each.kind == kind.name]


def outcomes(kind: Kind) -> dict[str, int]:
    return {each.outcome: each.count.jobs for each in of(kind)}


def test_every_end_is_counted_with_its_outcome_before_and_after_it_is_merged(kind: Kind) -> None:
    end(claimed(kind, "a", "b"), "embedded")
    end(claimed(kind, "c"), NotFound("gone"))
    end(claimed(kind, "d"), NetworkError("refused"))
    lifecycle.cancel(waiting(kind, "e")[0].id, by="bold")
    lifecycle.cancel_waiting(["d"], reason="deleted")
    expected = {"embedded": 2, "dead:not_found": 1, "retrying:network": 1, "cancelled": 2}

    assert outcomes(kind) == expected
    assert merge() == 5
    assert Ending.objects.count() == 0
    assert outcomes(kind) == expected
    assert {each.outcome: each.count.jobs for each in of(kind, Step.MINUTE)} == expected


def test_what_ends_later_is_added_to_what_was_merged(kind: Kind) -> None:
    for subject in ("a", "b", "c"):
        end(claimed(kind, subject), "embedded")
        merge()

    [row] = Tally.objects.filter(kind=kind.name, step=Step.HOUR)
    assert (row.jobs, sum(row.waited.values()), sum(row.ran.values())) == (3, 3, 3)


def test_a_job_that_kills_its_workers_is_counted_once_as_dead(kind: Kind) -> None:
    claim = claimed(kind, "a", deliveries=4)
    expire(claim)
    take_back_expired()
    assert outcomes(kind) == {"dead:poisoned": 1}


def test_a_batch_that_goes_back_unfinished_counts_as_nothing(kind: Kind) -> None:
    claim = claimed(kind, "a")
    expire(claim)
    take_back_expired()
    end(claim)
    assert outcomes(kind) == {}


def test_a_job_that_is_retried_by_a_person_counts_for_each_of_its_ends(kind: Kind) -> None:
    claim = claimed(kind, "a")
    end(claim, NotFound("gone"))
    lifecycle.retry(claim.jobs[0].id, actor=Actor("bold", "admin"))
    end(must_claim(kind), "embedded")
    assert outcomes(kind) == {"dead:not_found": 1, "embedded": 1}


def test_waits_count_from_due_to_claimed_and_runs_from_claimed_to_ended(kind: Kind) -> None:
    waiting(kind, "a", created_at=long_ago(7200), next_attempt_at=long_ago(100))
    claim = must_claim(kind)
    JobExecution.objects.filter(kind=kind.name).update(started_at=long_ago(10))
    end(claim)

    [found] = of(kind)
    waited, ran = quantile(found.count.waited, 0.5), quantile(found.count.ran, 0.5)
    assert waited == pytest.approx(90, rel=0.5)
    assert ran == pytest.approx(10, rel=0.5)


def test_failed_attempts_ran_but_do_not_count_as_having_waited(kind: Kind) -> None:
    end(claimed(kind, "a"), NetworkError("refused"))
    [found] = of(kind)
    assert (found.count.waited.total(), found.count.ran.total()) == (0, 1)


def test_what_is_rolled_back_is_not_counted(kind: Kind) -> None:
    job = waiting(kind, "a")[0]
    with transaction.atomic():
        lifecycle.cancel(job.id, by="bold")
        transaction.set_rollback(True)
    assert outcomes(kind) == {}


def test_two_who_merge_at_once_count_everything_once(kind: Kind) -> None:
    for index in range(30):
        end(claimed(kind, str(index)), "embedded")
    assert sum(at_once(merge, merge)) == 30
    assert outcomes(kind) == {"embedded": 30}


def test_more_than_one_transaction_merges_is_merged_all_the_same(kind: Kind) -> None:
    Ending.objects.bulk_create(
        Ending(kind=kind.name, outcome="embedded", jobs=1, waited=[3], ran=[4]) for _ in range(BATCH + 1)
    )
    assert merge() == BATCH + 1
    assert outcomes(kind) == {"embedded": BATCH + 1}


def test_each_minute_and_hour_is_told_apart(kind: Kind) -> None:
    now = timezone.now().replace(minute=30, second=30)
    for at in (now, now - timedelta(minutes=1), now - timedelta(hours=1)):
        Ending.objects.create(kind=kind.name, outcome="embedded", jobs=1, waited=[], ran=[], at=at)
    merge()
    since = now - timedelta(hours=2)
    assert [each.at for each in of(kind, Step.HOUR, since)] == [
        (now - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0),
        now.replace(minute=0, second=0, microsecond=0),
    ]
    assert len(of(kind, Step.MINUTE, since)) == 3
    assert of(kind, Step.MINUTE, ahead(3600)) == []


@pytest.mark.parametrize(
    ("outcome", "group"),
    [
        ("embedded", "succeeded"),
        ("dead:auth", "dead"),
        ("retrying:network", "retrying"),
        ("cancelled", "cancelled"),
    ],
)
def test_outcomes_belong_to_one_of_four_groups(outcome: str, group: str) -> None:
    assert group_of(outcome) == group


def test_make_due_is_the_moment_that_a_wait_begins(kind: Kind) -> None:
    job = waiting(kind, "a", next_attempt_at=ahead())[0]
    make_due(job)
    end(must_claim(kind))
    [found] = of(kind)
    assert quantile(found.count.waited, 0.5) == pytest.approx(3600, rel=0.5)
