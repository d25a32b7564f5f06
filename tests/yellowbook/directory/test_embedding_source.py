from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from embeddings.source import text_source
from yellowbook.directory.embedding_source import source
from yellowbook.directory.models import Business
from yellowbook.directory.text import text_hash

from .conftest import MakeBusiness

pytestmark = pytest.mark.django_db


def test_it_is_the_installed_source() -> None:
    assert text_source() is source


def test_texts_are_read_in_one_query_without_those_that_are_gone(
    make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, second = make_business(description="Хоол"), make_business(name="Nomin")

    with django_assert_num_queries(1):
        texts = source.texts([first.pk, second.pk, uuid4()])

    assert texts.keys() == {first.pk, second.pk}
    assert texts[first.pk].text == "Номин\nРесторан\nХоол\nЭнхтайвны өргөн чөлөө 12"
    assert texts[first.pk].text_hash == text_hash(texts[first.pk].text)
    assert texts[second.pk].label == "Nomin"


def test_current_hashes_are_locked_and_read_in_one_query(
    make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    business = make_business()

    with django_assert_num_queries(1):
        hashes = source.lock_current([business.pk, uuid4()])

    assert hashes == {business.pk: business.text_hash}


def test_every_business_is_a_subject_whatever_its_status(make_business: MakeBusiness) -> None:
    make_business(status="draft")
    make_business(status="published")

    assert source.subjects().count() == Business.objects.count() == 2
