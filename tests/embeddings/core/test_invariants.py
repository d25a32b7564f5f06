"""What must hold of the vectors: found when it does not, mended by making jobs."""

from uuid import uuid4

import pytest
from django.db import DataError, connection
from pgvector import HalfVector

from embeddings.invariants import TOLERANCE, uncovered
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding
from embeddings.providers.base import DIMENSIONS
from jobs.enqueue import enqueue
from jobs.errors import AuthError
from jobs.lifecycle import cancel
from jobs.models import DeadLetter, JobExecution, Run
from jobs.runs import start_fed_run
from jobs.states import Status
from jobs.upkeep import scan
from jobs.upkeep.audit import Finding, audit, check, invariants, repair
from tests.jobs.support import long_ago
from yellowbook.directory.models import Business
from yellowbook.search.models import Document

from .conftest import business, ends, job_of, vector, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider")]

COVERED = "businesses_are_covered"
NORM = "vectors_have_unit_norm"


def found(name: str) -> Finding:
    verdict = check(next(each for each in invariants() if each.name == name))
    assert verdict.error == ""
    return verdict.finding


def mend(name: str) -> int:
    """Repair what is found, and see that nothing is left."""
    done = repair(audit([name]))
    assert found(name).count == 0
    return done[name]


def embedded(*names: str) -> list[Business]:
    """Save businesses and have them embedded."""
    made = [business(name) for name in names]
    work()
    return made


def spoil(made: Business, **changes) -> None:
    """Write into the vector of a business past everything that checks it."""
    assert Embedding.objects.filter(business=made).update(**changes)


def numbers(first: float, rest: float = 0.0) -> HalfVector:
    return HalfVector([first] + [rest] * (DIMENSIONS - 1))


def test_what_the_system_does_by_itself_is_sound(provider) -> None:
    embedded("Номин", "Хаан", "Говь")
    business("Waits")
    assert [verdict.invariant.name for verdict in audit() if not verdict.holds] == []


class TestBusinessesAreCovered:
    def test_one_whose_job_waits_or_runs_is_in_order(self) -> None:
        made = business()
        for status in ("queued", "retrying"):
            JobExecution.objects.update(status=status)
            assert found(COVERED).count == 0
        JobExecution.objects.update(status="running", lease_id=uuid4())
        assert found(COVERED).count == 0
        JobExecution.objects.update(status="succeeded", lease_id=None, result="embedded")
        assert found(COVERED) == Finding(1, [f"Номин ({made.pk}): its newest job is succeeded (embedded)"])

    def test_one_with_a_stale_vector_and_no_job_is_found_and_gets_a_job(self) -> None:
        first, second = embedded("Номин", "Хаан")
        Business.objects.filter(pk=first.pk).update(name="Номин+")
        assert found(COVERED).count == 1
        assert mend(COVERED) == 1
        job = job_of(first)
        assert (job.status, job.priority, job.metadata["triggered_by"]) == ("queued", 2, "audit")
        assert job_of(second).status == "succeeded"
        work()
        assert not any(uncovered())

    def test_one_that_came_past_the_signals_is_found(self) -> None:
        Business.objects.bulk_create([Business(name="Номин", category="B", address="C")])
        finding = found(COVERED)
        assert finding.count == 1
        assert finding.examples[0].endswith("no job is known")

    @pytest.mark.parametrize("status", ["draft", "pending", "published", "unpublished"])
    def test_it_counts_whatever_its_status(self, status) -> None:
        Business.objects.bulk_create([Business(name="Номин", category="B", address="C", status=status)])
        assert found(COVERED).count == 1

    def test_another_model_leaves_all_uncovered(self, use_model) -> None:
        embedded("Номин", "Хаан")
        use_model("fake-2")
        assert found(COVERED).count == 2
        assert mend(COVERED) == 2

    def test_a_dead_letter_explains_it_until_somebody_settles_it(self, provider) -> None:
        def refuse(texts: list[str]) -> None:
            raise AuthError("no")

        provider.meanwhile = refuse
        made = business()
        work()
        assert ends(made) == [("dead", "auth")]
        assert found(COVERED).count == 0
        DeadLetter.objects.update(resolved_at=long_ago())
        assert found(COVERED).examples == [f"Номин ({made.pk}): its newest job is dead (auth)"]

    def test_a_dead_letter_or_job_of_another_kind_explains_nothing(self) -> None:
        made = business()
        enqueue("prune", subject=made.pk)
        cancel(job_of(made).id, by="x")
        JobExecution.objects.filter(kind=GENERATE_EMBEDDING).update(status=Status.CANCELLED, result="by a person")
        assert found(COVERED).count == 1

    def test_a_table_is_looked_at_whole_range_by_range(self, monkeypatch) -> None:
        monkeypatch.setattr(scan, "KEYS", 3)
        monkeypatch.setattr("embeddings.invariants.CHUNK", 2)
        Business.objects.bulk_create([Business(name=str(n), category="B", address="C") for n in range(17)])
        finding = found(COVERED)
        assert (finding.count, len(set(finding.examples))) == (17, 10)
        assert mend(COVERED) == 17
        assert JobExecution.objects.count() == 17
        assert Run.objects.count() > 5, "in chunks"

    def test_what_a_run_under_way_will_come_to_is_in_motion(self, monkeypatch) -> None:
        Business.objects.bulk_create([Business(name=str(n), category="B", address="C") for n in range(5)])
        ids = sorted(Business.objects.values_list("pk", flat=True))
        run = start_fed_run(GENERATE_EMBEDDING, {})
        assert found(COVERED).count == 0
        for cursor, count in ((ids[0], 1), (ids[3], 4)):
            Run.objects.filter(id=run.id).update(cursor=str(cursor))
            assert found(COVERED).count == count
        for changes in ({"fed_all": True}, {"state": "stopping"}, {"state": "failed"}, {"options": {"category": "X"}}):
            before = Run.objects.filter(id=run.id).values(*changes).get()
            Run.objects.filter(id=run.id).update(**changes)
            assert found(COVERED).count == 5, changes
            Run.objects.filter(id=run.id).update(**before)

    @pytest.mark.parametrize("number", [0, 2, 3, 4, 6])
    def test_ranges_meet_without_gap_or_overlap(self, monkeypatch, number) -> None:
        monkeypatch.setattr(scan, "KEYS", 3)
        Business.objects.bulk_create([Business(name=str(n), category="B", address="C") for n in range(number)])
        assert found(COVERED).count == number


class TestVectorsHaveUnitNorm:
    @pytest.mark.parametrize("first", [0.0, 0.5, 1 - 2 * TOLERANCE, 1 + 2 * TOLERANCE, 60_000.0])
    def test_others_are_found_and_made_anew(self, first) -> None:
        good, bad = embedded("Номин", "Хаан")
        spoil(bad, vector=numbers(first))
        finding = found(NORM)
        assert finding.count == 1
        assert finding.examples[0].startswith(f"{bad.pk} by fake-1: norm ")
        assert mend(NORM) == 1
        assert (vector(bad), vector(good) is not None) == (None, True)
        work()
        assert ends(bad) == [("succeeded", "embedded")]
        assert found(NORM).count == 0

    def test_what_rounding_to_half_precision_does_is_within_tolerance(self) -> None:
        (made,) = embedded("Номин")
        for value in (DIMENSIONS**-0.5, 1 / 3 * DIMENSIONS**-0.5):
            first = (1 - (DIMENSIONS - 1) * value**2) ** 0.5
            spoil(made, vector=numbers(first, value))
            assert found(NORM).count == 0

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "1e9"])
    def test_the_type_itself_refuses_what_is_not_finite(self, value) -> None:
        """Why the norm is all there is to look at."""
        with pytest.raises(DataError), connection.cursor() as cursor:
            cursor.execute("SELECT %s::halfvec", [f"[{value}]"])

    def test_equal_texts_do_not_pass_a_bad_vector_on(self) -> None:
        """Each would be `cached` from the other."""
        first, second = embedded("Номин", "Номин")
        Embedding.objects.update(vector=numbers(0.5))
        assert mend(NORM) == 2
        work()
        assert sorted(ends(first, second)) == [("succeeded", "cached"), ("succeeded", "embedded")]
        assert found(NORM).count == 0

    def test_one_by_a_model_that_is_no_longer_used_is_only_deleted(self, use_model) -> None:
        (made,) = embedded("Номин")
        use_model("fake-2")
        mend(COVERED)
        work()
        Embedding.objects.filter(business=made, model="fake-1").update(vector=numbers(0.5))
        jobs = JobExecution.objects.count()
        assert mend(NORM) == 1
        assert list(Embedding.objects.values_list("model", flat=True)) == ["fake-2"]
        assert JobExecution.objects.count() == jobs


@pytest.mark.parametrize("changes", [{"model": ""}, {"provider": ""}, {"task_type": ""}, {"text_hash": "x"}])
def test_a_vector_of_unknown_origin_is_found_and_made_anew(changes) -> None:
    good, bad = embedded("Номин", "Хаан")
    spoil(bad, **changes)
    assert found("vectors_are_described").count == 1
    assert mend("vectors_are_described") == 1
    work()
    assert ends(bad) == [("succeeded", "embedded")]
    assert vector(good).provider == "fake"


def test_a_vector_without_a_business_is_found_and_deleted() -> None:
    kept, gone = embedded("Номин", "Хаан")
    Document.objects.filter(business=gone).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint"
            " WHERE conrelid = 'embeddings_embedding'::regclass AND contype = 'f' AND conname LIKE '%%business_id%%'"
        )
        (name,) = cursor.fetchone()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE embeddings_embedding DROP CONSTRAINT {name}")
        cursor.execute("DELETE FROM directory_business WHERE id = %s", [gone.pk])
    assert found("vectors_have_business") == Finding(1, [f"{gone.pk} by fake-1"])
    assert mend("vectors_have_business") == 1
    assert list(Embedding.objects.values_list("business_id", flat=True)) == [kept.pk]


class TestWaitingJobsHaveBusiness:
    name = "waiting_jobs_have_business"

    def test_those_for_nothing_are_found_and_called_off(self) -> None:
        made, gone = business("Номин"), uuid4()
        enqueue(GENERATE_EMBEDDING, subject=gone)
        enqueue("prune", subject="periodic")
        assert found(self.name) == Finding(1, [f"generate_embedding {gone}"])
        assert mend(self.name) == 1
        job = JobExecution.objects.get(subject=str(gone))
        assert (job.status, job.result) == ("cancelled", "subject gone")
        assert job_of(made).status == "queued"
        assert JobExecution.objects.get(kind="prune").status == "queued"

    def test_a_subject_that_is_no_id_is_found_and_ends_by_itself(self) -> None:
        enqueue(GENERATE_EMBEDDING, subject="periodic")
        enqueue("prune", subject="periodic")
        assert found(self.name).count == 1
        assert repair(audit([self.name])) == {self.name: 0}
        assert JobExecution.objects.get(kind="prune").status == "queued", "that subject is another's too"
        work()
        assert JobExecution.objects.get(kind=GENERATE_EMBEDDING).status == "dead"

    def test_all_are_looked_at_range_by_range(self, monkeypatch) -> None:
        monkeypatch.setattr(scan, "KEYS", 2)
        for _ in range(7):
            enqueue(GENERATE_EMBEDDING, subject=uuid4())
        assert found(self.name).count == 7
        assert mend(self.name) == 7


def test_the_deletion_of_a_business_leaves_nothing_behind() -> None:
    made = business()
    Business.objects.get(pk=made.pk).delete()
    assert [verdict.invariant.name for verdict in audit() if not verdict.holds] == []
