"""The closed sets of words, kinds and payloads."""

import pytest
from django.db import IntegrityError, transaction

from jobs.errors import ErrorClass, JobError
from jobs.kinds import Kind, UnknownKind, all_kinds, get_kind, register
from jobs.models import JobExecution
from jobs.payload import payload, subject_name
from jobs.retry import DEFAULT_POLICY
from jobs.states import FINISHED, WAITING, Priority, Status

from .support import MakeKind, do_nothing, put


@pytest.mark.parametrize(("name", "number"), [("high", 0), ("normal", 1), ("low", 2)])
def test_a_priority_is_found_by_its_name(name, number) -> None:
    assert Priority.named(name) == number
    assert Priority.named(Priority(number)) is Priority(number)


@pytest.mark.parametrize("name", ["", "High", "urgent", "0", "HIGH ", "нормал"])
def test_an_unknown_priority_is_refused_with_the_legal_ones(name) -> None:
    with pytest.raises(ValueError, match="high, normal, low"):
        Priority.named(name)


def test_every_status_but_running_is_either_waiting_or_finished() -> None:
    assert {*WAITING, *FINISHED, Status.RUNNING} == set(Status)
    assert not set(WAITING) & set(FINISHED)


def test_every_failure_class_has_one_exception_and_one_row_in_the_retry_table() -> None:
    by_class = {error.error_class for error in JobError.__subclasses__() if error.__module__ == "jobs.errors"}
    assert by_class == set(ErrorClass)
    assert set(DEFAULT_POLICY) == set(ErrorClass)


def test_a_second_kind_of_the_same_name_is_a_mistake(make_kind: MakeKind) -> None:
    kind = make_kind()
    assert register(kind) is kind
    with pytest.raises(ValueError, match=kind.name):
        register(Kind(name=kind.name, handler=do_nothing))
    assert get_kind(kind.name) is kind


@pytest.mark.parametrize("name", ["event", "job_id", "error"])
def test_a_subject_can_not_be_called_what_a_line_of_the_log_calls_something_else(name) -> None:
    with pytest.raises(ValueError, match=f"can't be called '{name}'"):
        register(Kind(name="misnamed", handler=do_nothing, subject_name=name))
    with pytest.raises(UnknownKind):
        get_kind("misnamed")


def test_kinds_are_listed_by_name(make_kind: MakeKind) -> None:
    make_kind(name="zz_last")
    make_kind(name="aa_first")
    names = [kind.name for kind in all_kinds()]
    assert names == sorted(names)
    assert {"aa_first", "generate_embedding", "zz_last"} <= set(names)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownKind, match=r"'nonsense'.*generate_embedding"):
        get_kind("nonsense")


def test_a_kind_that_no_app_declares_any_more_calls_its_subject_subject() -> None:
    assert subject_name("gone") == "subject"
    assert subject_name("generate_embedding") == "business_id"


def test_the_payload_is_the_one_of_the_design(make_kind: MakeKind) -> None:
    kind = make_kind(subject_name="customer_id")
    job = JobExecution(kind=kind.name, subject="s-1", operation="create", priority=0, attempt=2, max_retries=3)
    job.metadata = {"source": "api"}
    assert payload(job) == {
        "job_id": str(job.id),
        "kind": kind.name,
        "customer_id": "s-1",
        "operation": "create",
        "priority": "high",
        "attempt": 2,
        "max_retries": 3,
        "metadata": {"source": "api"},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("status", Status.values)
def test_a_job_without_what_its_status_needs_can_not_be_stored(kind, status) -> None:
    job = put(kind, "x", status)
    wrong = {"lease_id": None} if status == Status.RUNNING else {"lease_id": job.id}
    with pytest.raises(IntegrityError, match="jobs_job_leased_while_running"), transaction.atomic():
        JobExecution.objects.filter(id=job.id).update(**wrong)
    with pytest.raises(IntegrityError, match="jobs_job_status_known"), transaction.atomic():
        JobExecution.objects.filter(id=job.id).update(status="lost", lease_id=None)
