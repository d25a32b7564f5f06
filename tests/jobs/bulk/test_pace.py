"""At most so many a second: the time is injected."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import clock
from jobs.bulk import work
from jobs.kinds import Kind
from tests.jobs.admin.support import bury
from tests.jobs.support import MakeKind, statuses

from .support import counts, its_job, retry_all, work_off

START = datetime(2026, 1, 1, tzinfo=UTC)


class Watch:
    """The database's clock, set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(clock, "now", made)
    return made


@pytest.fixture
def kind(make_kind: MakeKind) -> Kind:
    return make_kind(batch_size=100, linger=0.0)


@pytest.mark.django_db(transaction=True)
def test_each_second_sees_as_many_as_were_asked_for(kind: Kind, watch: Watch) -> None:
    bury(kind, *[f"s{n}" for n in range(12)])
    bulk = retry_all(kind, per_second=5)

    assert work.turn(bulk.id) == 1.0
    assert counts(bulk) == ("working", 5, 0)
    watch.now += timedelta(seconds=0.75)
    assert work.turn(bulk.id) == 0.25
    assert counts(bulk)[1] == 5
    watch.now += timedelta(seconds=0.25)
    assert work.turn(bulk.id) == 1.0
    assert counts(bulk)[1] == 10
    watch.now += timedelta(seconds=1)
    assert work.turn(bulk.id) is None
    assert counts(bulk) == ("done", 12, 0)


@pytest.mark.django_db(transaction=True)
def test_time_that_nobody_worked_is_not_made_up_for(kind: Kind, watch: Watch) -> None:
    bury(kind, *[f"s{n}" for n in range(12)])
    bulk = retry_all(kind, per_second=5)
    work.turn(bulk.id)
    watch.now += timedelta(hours=1)
    work.turn(bulk.id)
    assert counts(bulk) == ("working", 10, 0)


@pytest.mark.django_db(transaction=True)
def test_a_high_rate_is_kept_in_batches(kind: Kind, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BATCH", 4)
    bury(kind, *[f"s{n}" for n in range(12)])
    bulk = retry_all(kind, per_second=8)
    assert work.turn(bulk.id) == 0.5
    assert counts(bulk) == ("working", 4, 0)


@pytest.mark.django_db(transaction=True)
def test_rows_that_are_skipped_cost_no_time(kind: Kind, watch: Watch) -> None:
    bury(kind, *[f"s{n}" for n in range(3)])
    bury(kind, *[f"s{n}" for n in range(3)])
    bury(kind, *[f"s{n}" for n in range(3)])
    bulk = retry_all(kind, per_second=3)
    assert work.turn(bulk.id) == 1.0
    watch.now += timedelta(seconds=1)
    assert work.turn(bulk.id) is None
    assert counts(bulk) == ("done", 3, 6)


@pytest.mark.django_db(transaction=True)
def test_while_it_waits_its_job_waits_too_and_holds_no_worker(kind: Kind) -> None:
    bury(kind, *[f"s{n}" for n in range(12)])
    bulk = retry_all(kind, per_second=1)
    work_off()
    job = its_job(bulk)
    assert (job.status, job.attempt, job.deliveries) == ("queued", 1, 0)
    assert 0 < (job.next_attempt_at - job.started_at).total_seconds() <= 2
    assert statuses(kind) == {"queued": 1, "dead": 11}


@given(per_second=st.integers(1, 10_000), waits=st.lists(st.floats(0, 3), min_size=2, max_size=50))
def test_no_second_ever_sees_more_than_the_rate(per_second: int, waits: list[float]) -> None:
    now, next_at = START, None
    done: list[tuple[datetime, int]] = []
    for late in waits:
        now += timedelta(seconds=work.seconds_to_wait(next_at, now) + late)
        rows = work.batch_size(per_second)
        done.append((now, rows))
        next_at = work.next_after(now, rows, per_second)
    for begin, _ in done:
        within = [rows for at, rows in done if begin <= at < begin + timedelta(seconds=1)]
        assert sum(within) <= per_second
