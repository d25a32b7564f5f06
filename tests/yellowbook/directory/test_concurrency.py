"""Writers that meet: every change counts, and every last text has a job."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from jobs.models import JobExecution
from jobs.states import Status
from tests.concurrency import Session, at_once, until_blocked
from yellowbook.directory import services
from yellowbook.directory.embedding_source import source
from yellowbook.directory.models import Business

from .conftest import MakeBusiness, jobs_of, values

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other() -> Iterator[Session]:
    """Another session of the database."""
    session = Session()
    yield session
    session.close()


def test_updates_of_different_fields_at_once_both_count(make_business: MakeBusiness) -> None:
    business = make_business()

    at_once(
        lambda: services.update_business(business.pk, {"phone": "1"}),
        lambda: services.update_business(business.pk, {"city": "Дархан"}),
        lambda: services.update_business(business.pk, {"description": "Шинэ"}),
    )

    assert Business.objects.filter(phone="1", city="Дархан", description="Шинэ").exists()


def test_creations_with_one_external_id_at_once_make_one_business() -> None:
    ends = at_once(*[lambda: services.create_business(values(external_id="mn-1"))] * 4)

    [created] = [end for end in ends if isinstance(end, Business)]
    refused = [end for end in ends if isinstance(end, ValidationError)]
    assert [list(error.message_dict) for error in refused] == [["external_id"]] * 3
    assert Business.objects.get() == created
    assert JobExecution.objects.count() == 1


def test_a_save_waits_for_another_one_and_compares_with_what_that_wrote(
    make_business: MakeBusiness, other: Session
) -> None:
    business = make_business(description="old")
    mine = Business.objects.get()

    with transaction.atomic():
        Business.objects.update(description="theirs")
        saved = other.start(mine.save)
        until_blocked(saved)
    saved.result()

    assert Business.objects.get().description == "old"
    assert len(jobs_of(business)) == 1


def test_a_save_right_before_a_deletion_leaves_no_waiting_job(make_business: MakeBusiness, other: Session) -> None:
    business = make_business()

    with transaction.atomic():
        services.update_business(business.pk, {"description": "Changed"})
        deleted = other.start(services.delete_business, business.pk)
        until_blocked(deleted)
    deleted.result()

    assert [job.status for job in jobs_of(business)] == [Status.CANCELLED]


def test_an_update_that_comes_after_a_deletion_finds_nothing(make_business: MakeBusiness, other: Session) -> None:
    business = make_business()

    with transaction.atomic():
        services.delete_business(business.pk)
        updated = other.start(services.update_business, business.pk, {"description": "Changed"})
        until_blocked(updated)

    assert isinstance(updated.exception(), Business.DoesNotExist)
    assert jobs_of(business) == []


def test_a_business_is_not_deleted_while_a_vector_is_stored_for_it(make_business: MakeBusiness, other: Session) -> None:
    business = make_business()

    with transaction.atomic():
        assert business.pk in source.lock_current([business.pk])
        deleted = other.start(services.delete_business, business.pk)
        until_blocked(deleted)
        assert Business.objects.exists()
    deleted.result()

    assert not Business.objects.exists()


def test_a_business_can_be_saved_while_a_vector_is_stored_for_it(make_business: MakeBusiness, other: Session) -> None:
    business = make_business()

    with transaction.atomic():
        source.lock_current([business.pk])
        other.do(services.update_business, business.pk, {"phone": "2", "description": "Changed"})

    assert Business.objects.get().phone == "2"
