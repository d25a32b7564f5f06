"""Which saves and deletions make, join and call off jobs."""

from uuid import uuid4

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat
from pytest_django import DjangoAssertNumQueries

from jobs.actor import acting_as
from jobs.models import JobExecution
from jobs.states import Priority, Status
from yellowbook.directory import services
from yellowbook.directory.models import Business

from .conftest import MakeBusiness, jobs_of, values

pytestmark = pytest.mark.django_db


def test_a_new_business_makes_an_urgent_job_that_tells_who_and_what() -> None:
    with acting_as("tsetseg", "admin"):
        business = Business.objects.create(**values(name="Номин"))

    [job] = jobs_of(business)
    assert (job.kind, job.operation, job.priority) == ("generate_embedding", "create", Priority.HIGH)
    assert job.metadata["triggered_by"] == "tsetseg"
    assert job.metadata["source"] == "admin"
    assert job.metadata["original_name"] == "Номин"
    assert business.embedding_job is not None
    assert business.embedding_job.job_id == job.id


@pytest.mark.parametrize("field", ["name", "category", "description", "address"])
def test_a_change_of_the_embedded_text_makes_a_job(make_business: MakeBusiness, field: str) -> None:
    business = make_business()

    setattr(business, field, "Something else")
    business.save()

    [job] = jobs_of(business)
    assert (job.operation, job.priority) == ("update", Priority.NORMAL)


@pytest.mark.parametrize(
    ("field", "value"), [("phone", "+976 7711 2233"), ("city", "Дархан"), ("status", "draft"), ("price_level", 3)]
)
def test_a_change_of_anything_else_makes_no_job(make_business: MakeBusiness, field: str, value: object) -> None:
    business = make_business()

    setattr(business, field, value)
    business.save()

    assert jobs_of(business) == []
    assert business.embedding_job is None


def test_the_text_is_compared_with_the_stored_one_not_with_the_one_read_earlier(make_business: MakeBusiness) -> None:
    business = make_business(description="one")
    Business.objects.update(description="two")

    business.save()

    assert len(jobs_of(business)) == 1


def test_saving_only_other_fields_makes_no_job_whatever_the_instance_says(make_business: MakeBusiness) -> None:
    business = make_business()

    business.description = "not written"
    business.phone = "+976 7711 2233"
    business.save(update_fields=["phone"])

    assert jobs_of(business) == []


def test_saving_some_text_fields_ignores_the_unwritten_ones(make_business: MakeBusiness) -> None:
    business = make_business()

    business.description = "not written"
    business.save(update_fields=["name"])

    assert jobs_of(business) == []


def test_white_space_and_composition_are_no_change(make_business: MakeBusiness) -> None:
    business = make_business(name="Café")

    business.name = " Cafe\u0301\n"
    business.save()

    assert jobs_of(business) == []


def test_a_text_computed_by_the_database_counts_as_changed(make_business: MakeBusiness) -> None:
    business = make_business()

    business.description = Concat("description", Value(" more"))
    business.save(update_fields=["description"])

    assert len(jobs_of(business)) == 1


def test_a_second_save_joins_the_job_that_waits() -> None:
    business = Business.objects.create(**values())

    business.description = "Changed"
    business.save()

    [job] = jobs_of(business)
    assert business.embedding_job is not None
    assert (business.embedding_job.job_id, business.embedding_job.created) == (job.id, False)
    assert job.priority == Priority.HIGH


def test_a_save_while_a_job_runs_makes_one_more() -> None:
    business = Business.objects.create(**values())
    JobExecution.objects.update(status=Status.RUNNING, lease_id=uuid4())

    business.description = "Changed"
    business.save()

    assert sorted(job.status for job in jobs_of(business)) == ["queued", "running"]


def test_a_fixture_is_loaded_without_jobs(make_business: MakeBusiness) -> None:
    business = make_business()
    fixture = serializers.serialize("json", [business])
    business.delete()

    for loaded in serializers.deserialize("json", fixture):
        loaded.save()

    assert Business.objects.count() == 1
    assert jobs_of(business) == []


def test_a_save_that_is_rolled_back_leaves_no_job() -> None:
    with transaction.atomic():
        Business.objects.create(**values())
        transaction.set_rollback(True)

    assert not JobExecution.objects.exists()


def test_deleting_a_business_calls_its_waiting_job_off() -> None:
    business = Business.objects.create(**values())
    other = Business.objects.create(**values(name="Another"))
    (job,) = jobs_of(business)

    business.delete()

    job.refresh_from_db()
    assert (job.status, job.result) == (Status.CANCELLED, "subject deleted")
    assert [job.status for job in jobs_of(other)] == [Status.QUEUED]


def test_deleting_many_at_once_calls_their_jobs_off_too() -> None:
    Business.objects.create(**values())
    Business.objects.create(**values(name="Another"))

    Business.objects.all().delete()

    assert set(JobExecution.objects.values_list("status", flat=True)) == {Status.CANCELLED}


class TestUpdateBusiness:
    def test_writes_the_given_fields_only(self, make_business: MakeBusiness) -> None:
        business = make_business(phone="1", city="Дархан")
        Business.objects.update(city="Эрдэнэт")

        services.update_business(business.pk, {"phone": "2"})

        assert Business.objects.filter(phone="2", city="Эрдэнэт").exists()

    def test_values_that_are_there_already_write_nothing(
        self, make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        business = make_business(phone="1")

        updated = services.update_business(business.pk, {"phone": "1", "name": business.name})

        assert updated.embedding_job is None
        assert updated.updated_at == Business.objects.get().updated_at == business.updated_at

    def test_half_a_position_is_refused_against_what_is_stored(self, make_business: MakeBusiness) -> None:
        business = make_business(latitude=47.9, longitude=106.9)

        services.update_business(business.pk, {"latitude": 48.0})
        with pytest.raises(ValidationError) as refused:
            services.update_business(business.pk, {"latitude": None})

        assert "latitude" in refused.value.message_dict
        assert Business.objects.get().latitude == 48.0

    def test_an_unknown_business_is_said_to_be_so(self) -> None:
        with pytest.raises(Business.DoesNotExist):
            services.update_business(uuid4(), {"phone": "2"})

    def test_an_external_id_of_another_business_is_refused(self, make_business: MakeBusiness) -> None:
        make_business(external_id="taken")
        business = make_business(name="Another")

        with pytest.raises(ValidationError) as refused:
            services.update_business(business.pk, {"external_id": "taken"})

        assert refused.value.message_dict == {"external_id": ["Another business has this external id."]}
        assert Business.objects.count() == 2


@pytest.mark.django_db(transaction=True)
class TestQueries:
    """Statements of one write, jobs, BEGIN and COMMIT included."""

    def test_of_a_creation(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        # Three are search's: the row as it is, its words, and, after the commit, words that nobody used before.
        with django_assert_num_queries(7):
            services.create_business(values())

    def test_of_a_change_of_text(
        self, make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        business = make_business()

        # One more than for a creation is what features tell of it, which is indexed with its words.
        with django_assert_num_queries(9):
            services.update_business(business.pk, {"description": "Changed"})

    def test_of_a_change_of_something_else(
        self, make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        business = make_business()

        with django_assert_num_queries(4):
            services.update_business(business.pk, {"phone": "+976 7711 2233"})

    def test_of_no_change(self, make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        business = make_business()

        with django_assert_num_queries(3):
            services.update_business(business.pk, {"name": business.name})
