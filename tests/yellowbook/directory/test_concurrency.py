"""Writers that meet: every change counts, and every last text has a job."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from time import monotonic
from typing import TypeVar

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction

from jobs.models import JobExecution
from jobs.states import Status
from yellowbook.directory import services
from yellowbook.directory.embedding_source import source
from yellowbook.directory.models import Business

from .conftest import MakeBusiness, jobs_of, values

pytestmark = pytest.mark.django_db(transaction=True)

Result = TypeVar("Result")


def in_thread(pool: ThreadPoolExecutor, work: Callable[[], Result]) -> "Future[Result]":
    """Run `work` in another thread, with a database connection of its own that is given back."""

    def run() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    return pool.submit(run)


def until_blocked(future: "Future[object]") -> None:
    """Wait until somebody, so the work behind `future`, waits for a lock."""
    deadline = monotonic() + 20
    with connection.cursor() as cursor:
        blocked = False
        while not blocked:
            assert not future.done(), "it went on without waiting"
            assert monotonic() < deadline, "it neither waits nor ends"
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            blocked = cursor.fetchone()[0]


def test_updates_of_different_fields_at_once_both_count(make_business: MakeBusiness) -> None:
    business = make_business(phone="", city="")
    together = Barrier(2)

    def update(field: str, value: str) -> None:
        together.wait()
        services.update_business(business.pk, {field: value})

    with ThreadPoolExecutor(2) as pool:
        for update_done in [
            in_thread(pool, lambda: update("phone", "1")),
            in_thread(pool, lambda: update("city", "Дархан")),
        ]:
            update_done.result()

    assert Business.objects.filter(phone="1", city="Дархан").exists()


def test_creations_with_one_external_id_at_once_make_one_business() -> None:
    together = Barrier(4)

    def create() -> str:
        together.wait()
        try:
            services.create_business(values(external_id="mn-1"))
        except ValidationError as refused:
            return f"refused at {', '.join(refused.message_dict)}"
        return "created"

    with ThreadPoolExecutor(4) as pool:
        ends = [end.result() for end in [in_thread(pool, create) for _ in range(4)]]

    assert sorted(ends) == ["created", *["refused at external_id"] * 3]
    assert JobExecution.objects.count() == 1


def test_a_save_waits_for_another_one_and_compares_with_what_that_wrote(make_business: MakeBusiness) -> None:
    business = make_business(description="old")
    mine = Business.objects.get()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Business.objects.filter(pk=business.pk).update(description="theirs")
            saved = in_thread(pool, mine.save)
            until_blocked(saved)
        saved.result()

    assert Business.objects.get().description == "old"
    assert len(jobs_of(business)) == 1


def test_a_save_that_comes_before_a_deletion_leaves_no_waiting_job(make_business: MakeBusiness) -> None:
    business = make_business()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            services.update_business(business.pk, {"description": "Changed"})
            deleted = in_thread(pool, lambda: services.delete_business(business.pk))
            until_blocked(deleted)
        deleted.result()

    assert [job.status for job in jobs_of(business)] == [Status.CANCELLED]


def test_a_business_is_not_deleted_while_a_vector_is_stored_for_it(make_business: MakeBusiness) -> None:
    business = make_business()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert business.pk in source.lock_current([business.pk])
            deleted = in_thread(pool, lambda: services.delete_business(business.pk))
            until_blocked(deleted)
            assert Business.objects.filter(pk=business.pk).exists()
        deleted.result()

    assert not Business.objects.exists()


def test_a_business_can_be_saved_while_a_vector_is_stored_for_it(make_business: MakeBusiness) -> None:
    business = make_business()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        source.lock_current([business.pk])
        in_thread(pool, lambda: services.update_business(business.pk, {"phone": "2"})).result(timeout=20)

    assert Business.objects.get().phone == "2"
