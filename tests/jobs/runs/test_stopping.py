"""What a stop calls off and what it leaves alone, and what a resumed run takes up again."""

from collections.abc import Callable

import pytest

from jobs import lifecycle
from jobs.actor import Actor
from jobs.enqueue import enqueue, enqueue_many
from jobs.errors import InvalidInput, NetworkError
from jobs.kinds import Kind
from jobs.lifecycle import Failure
from jobs.models import JobExecution, Run
from jobs.runs import attend, resume, start_run, stop
from jobs.runs.progress import progress_of
from tests.jobs.support import must_claim, statuses

from .conftest import Numbers, check_counts, finish

pytestmark = pytest.mark.django_db(transaction=True)

Begin = Callable[..., Run]


def status_of(subject: str) -> str:
    return JobExecution.objects.filter(subject=subject).latest("created_at").status


def test_a_run_that_was_fed_to_its_end_is_resumed_in_full(
    begin: Begin, fed: Kind, numbers: Numbers, handled: list[str]
) -> None:
    numbers.subjects = numbers.subjects[:20]
    run = begin()
    run.refresh_from_db()
    assert run.fed_all
    stop(run.id)

    resume(run.id)
    finish(fed)

    check_counts(run)
    assert sorted(handled) == numbers.subjects
    assert (run.state, run.total, progress_of(run).processed) == ("completed", 20, 20)


class TestComingBack:
    """What was under way at the stop, and comes back without an end, is called off too."""

    def test_a_job_whose_worker_stops_is_called_off_with_its_run(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        must_claim(fed, "w1")
        stop(run.id)
        lifecycle.release_worker("w1", blame=False)

        attend.attend_all()

        check_counts(run)
        assert (run.state, statuses(fed)) == ("stopped", {"cancelled": 40})

    def test_a_job_that_would_be_retried_is_called_off_and_made_again_by_resume(
        self, begin: Begin, fed: Kind, handled: list[str]
    ) -> None:
        run = begin()
        batch = must_claim(fed)
        stop(run.id)
        lifecycle.finish(batch, {job.id: Failure(NetworkError("away")) for job in batch.jobs}, steps=[])

        attend.attend_all()
        run.refresh_from_db()
        assert run.state == "stopped"

        resume(run.id)
        finish(fed)
        check_counts(run)
        assert (sorted(handled), run.state) == ([f"{number:05}" for number in range(100)], "completed")


class TestAskedForByOthers:
    """A stop calls off what the run asked for, never what somebody else did."""

    def test_a_job_that_was_there_before_the_run_stays(self, begin: Begin, fed: Kind) -> None:
        enqueue(fed.name, subject="00004", operation="create", priority="high")
        run = begin()

        stop(run.id)

        check_counts(run)
        assert (status_of("00004"), run.state, run.made) == ("queued", "stopped", 39)

    def test_a_job_of_the_run_that_a_save_joined_stays(self, begin: Begin, fed: Kind) -> None:
        run = begin(priority="high")
        enqueue(fed.name, subject="00004")

        stop(run.id)

        check_counts(run)
        assert (status_of("00004"), status_of("00005"), run.state) == ("queued", "cancelled", "stopped")

    def test_a_job_of_the_run_that_a_bulk_request_joined_stays(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        other = start_run(fed.name, total=1)
        enqueue_many(fed.name, ["00004"], run=other)

        stop(run.id)

        assert (status_of("00004"), status_of("00005")) == ("queued", "cancelled")

    def test_a_dead_job_that_a_person_has_retried_stays(self, begin: Begin, fed: Kind) -> None:
        run = begin()
        batch = must_claim(fed)
        first = batch.jobs[0]
        outcomes = {job.id: "done" for job in batch.jobs[1:]}
        lifecycle.finish(batch, {**outcomes, first.id: Failure(InvalidInput("bad"))}, steps=[])
        lifecycle.retry(first.id, actor=Actor("bold", "dlq-retry"))

        stop(run.id)

        check_counts(run)
        assert (status_of(first.subject), run.state) == ("queued", "stopped")

    def test_what_stayed_is_worked_on_and_the_resumed_run_does_the_rest_once(
        self, begin: Begin, fed: Kind, handled: list[str]
    ) -> None:
        run = begin()
        enqueue(fed.name, subject="00004")
        stop(run.id)
        finish(fed)
        assert handled == ["00004"]

        resume(run.id)
        finish(fed)

        check_counts(run)
        assert run.state == "completed"
        assert set(handled) == {f"{number:05}" for number in range(100)}
