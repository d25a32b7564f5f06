"""Vectors in the table: only of the present text, of one model, of unit norm."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from pgvector import HalfVector

from embeddings.models import Embedding
from embeddings.store import NewVector, store, stored_hashes, vectors_by_hash
from embeddings.vectors import checked_vectors
from tests.concurrency import until_blocked
from yellowbook.directory.services import delete_business, update_business

from .conftest import business, numbers_of

pytestmark = pytest.mark.django_db


def unit(seed: int = 0) -> HalfVector:
    made = checked_vectors([np.random.default_rng(seed).normal(size=768)], 1)[0]
    assert isinstance(made, np.ndarray)
    return HalfVector(made)


def new(made, text_hash: str | None = None, **changes) -> NewVector:
    fields = {
        "business_id": made.pk,
        "job_id": uuid4(),
        "text_hash": made.text_hash if text_hash is None else text_hash,
        "truncated": False,
        "vector": unit(),
    }
    return NewVector(**{**fields, **changes})


def put(*vectors: NewVector, model: str = "m") -> dict[UUID, bool | None]:
    return store(vectors, model=model, provider="p", task_type="RETRIEVAL_DOCUMENT")


def test_it_tells_what_was_stored_what_was_stale_and_what_is_gone() -> None:
    fresh, stale = business("A"), business("B")
    gone = uuid4()
    told = put(new(fresh), new(stale, text_hash="old"), new(fresh, business_id=gone))
    assert told == {fresh.pk: True, stale.pk: False, gone: None}
    assert [each.business_id for each in Embedding.objects.all()] == [fresh.pk]


def test_nothing_to_store_is_no_error() -> None:
    assert put() == {}


def test_a_hundred_vectors_take_six_statements_and_those_of_who_listens() -> None:
    vectors = [new(business(str(n))) for n in range(100)]
    statements = []

    def note(execute, sql, *rest):
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        assert set(put(*vectors).values()) == {True}
    # Rows are locked, vectors stored in four parts, changes noted; kept searches outdated, lists of similar businesses
    # marked, listings of catalogues that wait for them looked for.
    assert len(statements) == 9


def test_a_second_vector_of_one_model_replaces_the_first_and_one_of_another_model_does_not() -> None:
    shop = business()
    put(new(shop))
    put(new(shop, vector=unit(1)))
    put(new(shop, vector=unit(2)), model="other")
    assert Embedding.objects.count() == 2
    assert (numbers_of(Embedding.objects.get(model="m")) == unit(1).to_list()).all()
    assert stored_hashes([shop.pk], "m") == stored_hashes([shop.pk], "other") == {shop.pk: shop.text_hash}
    assert stored_hashes([shop.pk], "third") == {}


def test_a_vector_is_found_by_its_text_within_one_model() -> None:
    first, second = business("A"), business("A")
    put(new(first), new(second))
    found = vectors_by_hash({first.text_hash, "unknown"}, "m")
    assert set(found) == {first.text_hash}
    assert {truncated for _, truncated in found.values()} == {False}
    assert vectors_by_hash({first.text_hash}, "other") == {}
    assert vectors_by_hash(set(), "m") == {}


def test_a_vector_that_was_found_can_be_stored_for_another_business() -> None:
    first, second = business("A"), business("A")
    put(new(first, vector=unit(3)))
    found, truncated = vectors_by_hash({first.text_hash}, "m")[first.text_hash]
    assert put(new(second, vector=found, truncated=truncated)) == {second.pk: True}
    one, other = (numbers_of(each) for each in Embedding.objects.all())
    assert (one == other).all()


def test_a_vector_without_a_text_hash_can_not_be_stored() -> None:
    shop = business()
    with pytest.raises(IntegrityError, match="embeddings_text_hash_set"), transaction.atomic():
        Embedding.objects.create(business=shop, model="m", provider="p", task_type="t", text_hash="", vector=unit())


@given(seed=st.integers(0, 2**32), scale=st.integers(-300, 300), filled=st.integers(1, 768))
def test_whatever_a_provider_answers_is_stored_with_unit_norm(seed, scale, filled) -> None:
    numbers = np.random.default_rng(seed).normal(size=768) * 10.0**scale
    numbers[filled:] = 0.0
    made = checked_vectors([numbers.tolist()], 1)[0]
    assert isinstance(made, np.ndarray)
    stored = HalfVector(made).to_numpy().astype(np.float64)
    assert np.isfinite(stored).all()
    assert np.linalg.norm(stored) == pytest.approx(1, abs=2e-3)


@pytest.mark.django_db(transaction=True)
class TestMeetings:
    """Storing, saving and deleting at once."""

    def test_a_save_does_not_wait_for_a_vector_being_stored(self, session) -> None:
        shop = business("A")
        worker, editor = session(), session()
        worker.begin()
        assert worker.do(put, new(shop)) == {shop.pk: True}
        editor.do(update_business, shop.pk, {"name": "B"})
        worker.commit()

    def test_a_deletion_waits_and_takes_the_vector_with_it(self, session) -> None:
        shop = business("A")
        worker, editor = session(), session()
        worker.begin()
        worker.do(put, new(shop))
        deleting = editor.start(delete_business, shop.pk)
        until_blocked(deleting)
        worker.commit()
        deleting.result(20)
        assert not Embedding.objects.exists()

    def test_a_vector_of_a_business_being_deleted_is_not_stored(self, session) -> None:
        shop = business("A")
        worker, editor = session(), session()
        editor.begin()
        editor.do(delete_business, shop.pk)
        storing = worker.start(put, new(shop))
        until_blocked(storing)
        editor.commit()
        assert storing.result(20) == {shop.pk: None}
