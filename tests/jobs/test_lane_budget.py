"""One turn of a lane whose work has a budget."""

import pytest
from redis import Redis

from jobs.batch import Batch
from jobs.budget import Cost
from jobs.due import due_lanes, is_due
from jobs.enqueue import enqueue
from jobs.errors import RateLimited
from jobs.execute import run_lane
from jobs.models import JobExecution, Lane

from .support import MakeKind, run_until_idle, sender, statuses, waiting
from .throttle.clock import later, new_throttle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def metered(make_kind: MakeKind, redis_client: Redis):
    """Declare a kind whose jobs cost one unit and some tokens each; `sent` of the kind's throttle tells what went."""

    def make(tokens: int = 1, **limits):
        throttle = new_throttle(redis_client, **limits)
        throttle.sent = []  # type: ignore[attr-defined]

        def handle(batch: Batch) -> None:
            jobs = [job for job in batch.jobs if not job.subject.startswith("unchanged")]
            taken = batch.budget.take([Cost(tokens, urgent=job.priority == 0) for job in jobs])
            for job in jobs[taken:]:
                batch.postpone(job)
            throttle.sent += [job.subject for job in jobs[:taken]]  # type: ignore[attr-defined]
            batch.budget.done()

        return make_kind(handle, batch_size=10, linger=0.0, throttle=lambda: throttle), throttle

    return make


def test_a_lane_spends_no_more_than_its_budget_and_the_rest_waits_unharmed(metered, redis_client) -> None:
    kind, throttle = metered(units_per_minute=4, reserve=0.0)
    waiting(kind, *"abcdef")
    run_until_idle(kind)
    assert throttle.sent == [*"abcd"]
    assert {(job.status, job.attempt, job.deliveries) for job in JobExecution.objects.filter(subject__in="ef")} == {
        ("queued", 1, 0)
    }
    later(throttle, redis_client, 61)
    run_until_idle(kind)
    assert throttle.sent == [*"abcdef"]
    assert statuses(kind) == {"succeeded": 6}


def test_without_a_budget_nothing_is_claimed_and_the_lane_sleeps(metered) -> None:
    kind, throttle = metered(units_per_minute=2, reserve=0.0)
    throttle.done(throttle.reserve(2))
    waiting(kind, "a")
    Lane.objects.create(kind=kind.name)
    assert run_lane(kind.name) is False
    job = JobExecution.objects.get()
    assert (job.status, job.attempt, job.deliveries, job.started_at) == ("queued", 1, 0, None)
    lane = Lane.objects.get()
    assert lane.wake_at > job.created_at
    assert 4 < (lane.wake_at - job.created_at).total_seconds() < 80
    assert due_lanes([kind.name]) == []
    Lane.objects.update(wake_at=job.created_at)
    assert is_due(kind.name)


def test_a_lane_that_never_gave_anything_out_sleeps_too(metered) -> None:
    kind, throttle = metered(units_per_minute=2)
    throttle.block(60)
    throttle.reserve(1)
    throttle.block(60)
    waiting(kind, "a")
    assert run_lane(kind.name) is False
    assert due_lanes([kind.name]) == []


def test_an_urgent_job_made_meanwhile_is_done_from_the_reserve(metered) -> None:
    kind, throttle = metered(units_per_minute=5, reserve=0.2)
    waiting(kind, *"abcdef")
    run_until_idle(kind)
    assert throttle.sent == [*"abcd"]
    sender().client.delete(f"dramatiq:{kind.name}")
    enqueue(kind.name, subject="urgent", priority="high")
    assert sender().waiting_messages(kind.name) == 1
    run_until_idle(kind)
    assert throttle.sent == [*"abcd", "urgent"]
    assert statuses(kind) == {"succeeded": 5, "queued": 2}
    assert due_lanes([kind.name]) == []


def test_jobs_that_need_no_call_cost_no_units(metered) -> None:
    kind, throttle = metered(units_per_minute=5, units_per_day=5, reserve=0.0)
    for n in range(30):
        waiting(kind, f"unchanged{n}")
    run_until_idle(kind)
    assert statuses(kind) == {"succeeded": 30}
    standing = throttle.look()
    assert (standing.units_this_minute, standing.units_today) == (0, 0)


def test_texts_without_tokens_left_are_put_back_with_no_attempt_consumed(metered, redis_client) -> None:
    kind, throttle = metered(tokens=40, tokens_per_minute=100, reserve=0.0)
    waiting(kind, *"abcd")
    turns = 0
    while is_due(kind.name):
        run_lane(kind.name)
        turns += 1
        assert turns < 10, "the lane never sleeps"
    assert throttle.sent == [*"ab"]
    assert {(job.attempt, job.deliveries) for job in JobExecution.objects.filter(status="queued")} == {(1, 0)}
    later(throttle, redis_client, 61)
    Lane.objects.update(wake_at=None)
    while is_due(kind.name):
        run_lane(kind.name)
    assert statuses(kind) == {"succeeded": 4}


def test_a_lane_put_to_sleep_while_another_worker_held_the_budget_is_woken_when_it_is_given_back(
    make_kind: MakeKind, redis_client
) -> None:
    """A reserves all there is for jobs that turn out to need no call; B looks meanwhile and finds nothing left."""
    throttle = new_throttle(redis_client, units_per_minute=2, reserve=0.0)
    slept: list[bool] = []

    def handle(batch: Batch) -> None:
        slept.append(run_lane(batch.kind.name))
        batch.budget.take([])

    kind = make_kind(handle, batch_size=10, linger=0.0, throttle=lambda: throttle)
    waiting(kind, *"abcd")
    assert run_lane(kind.name)
    assert slept == [False]
    assert statuses(kind) == {"succeeded": 2, "queued": 2}
    assert throttle.look().units_this_minute == 0, "there is budget"
    assert due_lanes([kind.name]) == [kind.name], "but the lane sleeps"


def test_redis_away_costs_a_moment_and_no_attempt(make_kind: MakeKind) -> None:
    client = Redis.from_url("unix:///nonexistent/yellowbook.sock")
    throttle = new_throttle(client, units_per_minute=5)
    kind = make_kind(lambda batch: pytest.fail("called"), throttle=lambda: throttle)
    waiting(kind, "a")
    assert run_lane(kind.name) is False
    assert statuses(kind) == {"queued": 1}
    client.close()


def test_a_refusal_in_spite_of_the_budget_closes_the_lane_and_the_budget(make_kind: MakeKind, redis_client) -> None:
    throttle = new_throttle(redis_client, units_per_minute=100)

    def handle(batch: Batch) -> None:
        batch.budget.block(60)
        raise RateLimited("slow down", status_code=429, retry_after=90.0)

    kind = make_kind(handle, batch_size=2, linger=0.0, throttle=lambda: throttle)
    waiting(kind, *"abcd")
    run_until_idle(kind)
    assert statuses(kind) == {"retrying": 2, "queued": 2}
    lane = Lane.objects.get()
    assert (lane.closed_until - JobExecution.objects.latest("created_at").created_at).total_seconds() >= 89
    assert throttle.reserve(1).units == 0
    assert due_lanes([kind.name]) == []
