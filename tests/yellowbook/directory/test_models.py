from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from yellowbook.directory.models import Business

from .conftest import MakeBusiness, values

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [
        ("name", " \n", "business_name_not_blank"),
        ("category", "", "business_category_not_blank"),
        ("address", "", "business_address_not_blank"),
        ("description", "x" * 20_001, "business_description_length"),
        ("latitude", 90.1, "business_latitude_range"),
        ("latitude", float("nan"), "business_latitude_range"),
        ("longitude", -180.1, "business_longitude_range"),
        ("latitude", None, "business_coordinates_together"),
        ("price_level", 0, "business_price_level_range"),
        ("price_level", 5, "business_price_level_range"),
        ("status", "gone", "business_status_known"),
    ],
)
def test_the_database_refuses_wrong_values_whoever_writes_them(field: str, value: Any, constraint: str) -> None:
    given = {**values(latitude=47.9, longitude=106.9), field: value}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Business.objects.bulk_create([Business(**given)])


def test_the_database_refuses_a_second_business_with_one_external_id(make_business: MakeBusiness) -> None:
    make_business(external_id="mn-1")

    with pytest.raises(IntegrityError, match="business_external_id_unique"), transaction.atomic():
        make_business(external_id="mn-1", name="Another")


def test_any_number_of_businesses_may_lack_an_external_id(make_business: MakeBusiness) -> None:
    make_business()
    make_business()

    assert Business.objects.filter(external_id="").count() == 2


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("name", "", "blank"),
        ("name", "x" * 201, "at most 200 characters"),
        ("name", "a\x00b", "U+0000"),
        ("description", "\ud800", "lone surrogate"),
        ("description", "x" * 20_001, "at most 20000 characters"),
        ("phone", "\x07", "U+0007"),
        ("email", "not an address", "valid email"),
        ("website", "javascript://alert(1)", "valid URL"),
        ("latitude", float("nan"), "number"),
        ("latitude", float("inf"), "less than or equal to 90"),
        ("longitude", 181, "less than or equal to 180"),
        ("price_level", 5, "less than or equal to 4"),
        ("status", "gone", "Choose one of draft, pending, published, unpublished."),
    ],
)
def test_validation_names_the_field(field: str, value: Any, part: str) -> None:
    business = Business(**{**values(latitude=1, longitude=1), field: value})

    with pytest.raises(ValidationError) as refused:
        business.full_clean()

    assert list(refused.value.message_dict) == [field]
    assert part in refused.value.message_dict[field][0]


@pytest.mark.parametrize(("given", "missing"), [("latitude", "longitude"), ("longitude", "latitude")])
def test_half_a_position_is_refused_at_the_missing_half(given: str, missing: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Business(**values(**{given: 1.0})).full_clean()

    assert list(refused.value.message_dict) == [missing]


def test_another_business_with_the_external_id_is_named_in_validation(make_business: MakeBusiness) -> None:
    make_business(external_id="mn-1")

    with pytest.raises(ValidationError, match="external id"):
        Business(**values(external_id="mn-1")).full_clean()


def test_saving_cleans_text_even_without_validation() -> None:
    business = Business.objects.create(**values(name="  Cafe\u0301 ", description="a\r\nb"))

    assert (business.name, business.description) == ("Café", "a\nb")
    assert Business.objects.filter(name="Café", description="a\nb").exists()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("www.nomin.mn", "https://www.nomin.mn"), ("http://nomin.mn", "http://nomin.mn"), ("", "")],
)
def test_a_website_gets_a_scheme_when_it_has_none(typed: str, stored: str) -> None:
    business = Business(**values(website=typed))
    business.full_clean()

    assert business.website == stored


def test_the_form_of_the_admin_takes_a_website_without_a_scheme() -> None:
    field = Business._meta.get_field("website").formfield()

    assert field is not None
    assert field.clean("nomin.mn") == "https://nomin.mn"


def test_saving_some_fields_moves_updated_at_too(make_business: MakeBusiness) -> None:
    business = make_business()
    before = business.updated_at

    business.phone = "+976 7711 2233"
    business.save(update_fields=["phone"])

    assert Business.objects.get().updated_at > before


def test_saving_no_fields_does_nothing(
    make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    business = make_business()

    with django_assert_num_queries(0):
        business.save(update_fields=[])


def test_the_hash_on_the_instance_is_that_of_the_row_after_every_save(make_business: MakeBusiness) -> None:
    business = make_business()
    first = business.text_hash

    business.description = "Changed"
    business.save()

    assert business.text_hash == Business.objects.get().text_hash != first


def test_a_partly_loaded_business_can_be_saved(make_business: MakeBusiness) -> None:
    make_business(phone="1", description="kept")

    business = Business.objects.only("name", "phone").get()
    business.phone = "2"
    business.save()

    assert Business.objects.filter(phone="2", description="kept").exists()
