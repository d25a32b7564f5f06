"""What must hold of the rows of `jobs`: found when it does not, and not before."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from jobs.actor import Actor
from jobs.enqueue import enqueue_many
from jobs.errors import InvalidInput, NotFound
from jobs.kinds import Kind
from jobs.lifecycle import Failure, cancel, retry, take_back_expired
from jobs.lifecycle.recover import MAX_DELIVERIES
from jobs.models import Attempt, DeadLetter, JobExecution, Lease, Run, RunCount
from jobs.runs import start_run
from jobs.upkeep import scan
from jobs.upkeep.audit import Finding, audit, check, invariants, repair
from jobs.upkeep.invariants import GRACE
from tests.jobs.support import (
    ahead,
    claimed,
    end,
    expire,
    job_of,
    long_ago,
    make_due,
    must_claim,
    network_failure,
    put,
    waiting,
)

pytestmark = pytest.mark.django_db

OPERATOR = Actor("операторч", "cli")


def found(name: str) -> Finding:
    verdict = check(next(each for each in invariants() if each.name == name))
    assert verdict.error == ""
    return verdict.finding


def mend(name: str) -> int:
    """Repair what is found, and see that nothing is left."""
    done = repair(audit([name]))
    assert found(name).count == 0
    return done[name]


def all_hold() -> None:
    assert [(verdict.invariant.name, verdict.finding, verdict.error) for verdict in audit() if not verdict.holds] == []


def test_an_empty_database_is_sound() -> None:
    all_hold()


def test_every_state_that_the_life_cycle_leads_to_is_sound(kind: Kind) -> None:
    end(claimed(kind, "succeeded"))
    end(claimed(kind, "dead"), NotFound("gone"))
    end(claimed(kind, "retrying"), network_failure())
    cancel(waiting(kind, "cancelled")[0].id, by="x")
    retried = claimed(kind, "retried")
    end(retried, InvalidInput("no"))
    retry(retried.jobs[0].id, actor=OPERATOR)
    make_due(*JobExecution.objects.filter(subject="retried"))
    end(must_claim(kind), InvalidInput("still no"))
    waiting(kind, "poison", deliveries=MAX_DELIVERIES - 1)
    expire(must_claim(kind))
    take_back_expired()
    claimed(kind, "running")
    waiting(kind, "running", "queued")
    states = set(JobExecution.objects.values_list("status", flat=True))
    assert states == {"queued", "running", "retrying", "succeeded", "dead", "cancelled"}
    assert DeadLetter.objects.count() == 4
    all_hold()


class TestOneWaitingJobPerSubject:
    def test_a_second_one_is_found(self, kind: Kind, without) -> None:
        without("jobs_job_one_waiting_per_subject")
        put(kind, "twice", "queued")
        put(kind, "twice", "retrying")
        put(kind, "twice", "running")
        put(kind, "once", "queued")
        assert found("one_waiting_job_per_subject") == Finding(1, [f"{kind.name} twice: 2 jobs"])

    def test_jobs_of_other_kinds_are_others(self, kind: Kind, make_kind) -> None:
        put(kind, "a", "queued")
        put(make_kind(), "a", "queued")
        assert found("one_waiting_job_per_subject").count == 0


class TestRunningJobsHaveLiveLease:
    name = "running_jobs_have_live_lease"

    def test_a_lease_that_ended_a_moment_ago_is_in_motion(self, kind: Kind) -> None:
        claimed(kind, "a")
        Lease.objects.update(expires_at=long_ago(GRACE - 10))
        assert found(self.name).count == 0

    def test_one_that_ended_before_is_found_and_its_jobs_wait_again(self, kind: Kind) -> None:
        batch = claimed(kind, "a", "b")
        Lease.objects.update(expires_at=long_ago(GRACE + 10))
        finding = found(self.name)
        assert finding.count == 2
        assert "the lease ended at" in finding.examples[0]
        assert mend(self.name) == 2
        assert {job_of(batch).status, job_of(batch, 1).status} == {"queued"}

    def test_a_lease_that_is_gone_is_found_and_its_jobs_wait_again(self, kind: Kind) -> None:
        batch = claimed(kind, "a", "b")
        held = claimed(kind, "c")
        Lease.objects.filter(id=batch.lease_id).delete()
        finding = found(self.name)
        assert finding.count == 2
        assert "the lease is gone" in finding.examples[0]
        assert mend(self.name) == 2
        assert job_of(batch).status == "queued"
        assert job_of(held).status == "running", "what is in order is left alone"
        assert Lease.objects.count() == 1

    def test_more_leases_than_one_sweep_takes_are_all_taken_back(self, kind: Kind) -> None:
        for number in range(120):
            put(kind, str(number), "running")
        Lease.objects.update(expires_at=long_ago(GRACE + 10))
        assert mend(self.name) == 120


class TestLeasesHoldRunningJobs:
    name = "leases_hold_running_jobs"

    def empty(self, age: float) -> None:
        Lease.objects.create(kind="any", worker="w1", size=1, claimed_at=long_ago(age), expires_at=ahead())

    def test_one_made_a_moment_ago_is_in_motion(self) -> None:
        self.empty(GRACE - 10)
        assert found(self.name).count == 0

    def test_an_empty_one_is_found_and_ended(self, kind: Kind) -> None:
        held = claimed(kind, "a")
        Lease.objects.update(claimed_at=long_ago())
        self.empty(GRACE + 10)
        assert found(self.name).count == 1
        assert "any on w1 since" in found(self.name).examples[0]
        assert mend(self.name) == 1
        assert list(Lease.objects.values_list("id", flat=True)) == [held.lease_id]


class TestDeadJobsHaveDeadLetter:
    name = "dead_jobs_have_dead_letter"

    def dead(self, kind: Kind, subject: str) -> JobExecution:
        batch = claimed(kind, subject)
        end(batch, InvalidInput("too strange", status_code=400))
        return job_of(batch)

    def test_one_without_is_found_and_gets_one_that_can_be_retried(self, kind: Kind) -> None:
        job = self.dead(kind, "a")
        self.dead(kind, "b")
        job.dead_letters.all().delete()
        assert found(self.name) == Finding(1, [f"{kind.name} a ({job.id}): invalid_input"])
        assert mend(self.name) == 1
        letter = job.dead_letters.get()
        assert (letter.error_class, letter.failure_reason, letter.attempts) == ("invalid_input", "too strange", 1)
        retry(job.id, actor=OPERATOR)
        all_hold()

    def test_the_letter_of_an_earlier_death_does_not_count(self, kind: Kind) -> None:
        job = self.dead(kind, "a")
        retry(job.id, actor=OPERATOR)
        end(must_claim(kind), InvalidInput("again"))
        assert found(self.name).count == 0
        job.dead_letters.filter(resolved_at__isnull=True).delete()
        assert found(self.name).count == 1

    def test_more_than_one_transaction_writes_are_all_written(self, kind: Kind, monkeypatch) -> None:
        monkeypatch.setattr("jobs.upkeep.mend.CHUNK", 2)
        for subject in "abcde":
            self.dead(kind, subject)
        DeadLetter.objects.all().delete()
        assert mend(self.name) == 5

    @pytest.mark.parametrize(("days", "violations"), [(90, 0), (0, 1), (120, 1)])
    def test_a_letter_that_was_pruned_is_not_missed(self, kind: Kind, settings, days, violations) -> None:
        """Letters may be kept for a shorter time than jobs."""
        settings.RETENTION_DEAD_LETTERS_DAYS = days
        job = self.dead(kind, "a")
        JobExecution.objects.filter(id=job.id).update(finished_at=long_ago(100 * 86_400))
        DeadLetter.objects.all().delete()
        assert found(self.name).count == violations
        if violations:
            mend(self.name)


def test_an_open_letter_of_a_job_that_is_not_dead_is_found(kind: Kind) -> None:
    end(claimed(kind, "a"), NotFound("x"))
    end(claimed(kind, "b"), NotFound("x"))
    DeadLetter.objects.filter(subject="b").update(resolved_at=long_ago())
    JobExecution.objects.update(status="succeeded")
    finding = found("open_dead_letters_are_of_dead_jobs")
    assert finding.count == 1
    assert "the job is succeeded" in finding.examples[0]


class TestJobsEndOnceFinished:
    name = "jobs_end_once_finished"

    @pytest.mark.parametrize("status", ["succeeded", "dead", "cancelled"])
    def test_a_finished_job_without_an_end_is_found(self, kind: Kind, status: str) -> None:
        put(kind, "a", status)
        assert found(self.name).count == 1

    @pytest.mark.parametrize("status", ["queued", "running", "retrying"])
    def test_a_job_with_an_end_that_is_not_finished_is_found(self, kind: Kind, status: str) -> None:
        job = put(kind, "a", status, finished_at=long_ago())
        assert found(self.name) == Finding(1, [f"{kind.name} a ({job.id}): {status}"])

    def test_a_finished_job_with_a_lease_is_found(self, kind: Kind, without) -> None:
        without("jobs_job_leased_while_running")
        put(kind, "a", "succeeded", finished_at=long_ago(), lease_id=uuid4())
        assert found(self.name).count == 1

    def test_a_table_is_read_whole_piece_by_piece(self, kind: Kind, monkeypatch) -> None:
        monkeypatch.setattr(scan, "PAGES", 1)
        for number in range(60):
            put(kind, str(number), "succeeded", error="x" * 700)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_size('jobs_jobexecution') / 8192")
            assert cursor.fetchone()[0] > 3
        finding = found(self.name)
        assert (finding.count, len(finding.examples)) == (60, 10)


def test_waiting_jobs_of_a_kind_that_nobody_declares_are_found(kind: Kind) -> None:
    waiting(kind, "known")
    put(kind, "a", "queued")
    put(kind, "done", "succeeded", finished_at=long_ago())
    JobExecution.objects.exclude(subject="known").update(kind="postcard")
    assert found("waiting_jobs_are_of_known_kinds") == Finding(1, ["postcard a"])


class TestNoOrphans:
    def test_attempts_and_letters_without_job_and_jobs_without_run_are_found(self, kind: Kind, without) -> None:
        without("jobs_attempt_job_id%", "jobs_deadletter_job_id%", "jobs_jobexecution_run_id%")
        end(claimed(kind, "a"), NotFound("x"))
        run = start_run(kind.name, total=1)
        put(kind, "b", "queued", run=run)
        put(kind, "c", "queued")
        assert found("no_orphans").count == 0
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM jobs_jobexecution WHERE subject = 'a'")
            cursor.execute("DELETE FROM jobs_run")
        finding = found("no_orphans")
        assert finding.count == 3
        assert sorted(example.split()[0] for example in finding.examples) == ["attempt", "dead", "job"]
        assert Attempt.objects.count() == 1


def test_repairs_do_nothing_to_a_sound_database(kind: Kind) -> None:
    claimed(kind, "running")
    end(claimed(kind, "dead"), NotFound("x"))
    waiting(kind, "waiting")

    def rows() -> list[Any]:
        return [list(model.objects.order_by("pk").values()) for model in (JobExecution, Lease, DeadLetter)]

    before = rows()
    for each in invariants():
        if each.repair is not None:
            assert each.repair() == 0, each.name
    assert rows() == before


class TestRunsCountTheirJobs:
    name = "runs_count_their_jobs"

    def run(self, kind: Kind) -> Run:
        """Make a run with one job in each of several states."""
        run = start_run(kind.name, total=4)
        enqueue_many(kind.name, ["dead", "greeted", "running", "cancelled"], run=run)
        cancel(JobExecution.objects.get(subject="cancelled").id, by="x")
        batch = must_claim(kind)
        ids = {job.subject: job.id for job in batch.jobs}
        end(batch, {ids["dead"]: Failure(NotFound("x")), ids["greeted"]: "done"})
        return run

    def test_what_the_life_cycle_counts_is_right(self, kind: Kind) -> None:
        self.run(kind)
        assert set(RunCount.objects.values_list("outcome", "jobs")) == {
            ("dead:not_found", 1),
            ("done", 1),
            ("cancelled", 1),
        }
        enqueue_many(kind.name, ["poison"], run=Run.objects.get())
        JobExecution.objects.filter(subject="poison").update(deliveries=MAX_DELIVERIES - 1)
        expire(must_claim(kind))
        take_back_expired()
        retry(JobExecution.objects.get(subject="dead").id, actor=OPERATOR)
        assert dict(RunCount.objects.values_list("outcome", "jobs"))["dead:poisoned"] == 1
        assert found(self.name).count == 0

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda: RunCount.objects.filter(outcome="done").update(jobs=5),
            lambda: RunCount.objects.filter(outcome="dead:not_found").delete(),
            lambda: RunCount.objects.create(run=Run.objects.get(), outcome="cached", jobs=2),
            lambda: RunCount.objects.update(outcome="x") if RunCount.objects.exclude(outcome="done").delete() else 0,
            lambda: Run.objects.update(made=9),
        ],
    )
    def test_other_counts_are_found_and_put_right(self, kind: Kind, spoil) -> None:
        self.run(kind)
        spoil()
        assert found(self.name).count >= 1
        assert found(self.name).examples[0].startswith("run ")
        assert mend(self.name) == 1
        counts = {outcome: jobs for outcome, jobs in RunCount.objects.values_list("outcome", "jobs") if jobs}
        assert counts == {"dead:not_found": 1, "done": 1, "cancelled": 1}
        assert Run.objects.get().made == 4

    def test_a_run_whose_jobs_may_have_been_pruned_is_left_alone(self, kind: Kind, settings) -> None:
        run = self.run(kind)
        JobExecution.objects.filter(subject="greeted").delete()
        assert found(self.name).count == 2, "a count, and what was made"
        Run.objects.filter(id=run.id).update(created_at=long_ago((settings.RETENTION_JOBS_DAYS + 1) * 86_400))
        assert found(self.name).count == 0
        settings.RETENTION_JOBS_DAYS = 0
        assert found(self.name).count == 2
