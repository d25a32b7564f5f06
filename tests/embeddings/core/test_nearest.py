"""The nearest neighbours of a vector, exact and by the index."""

import numpy as np
import pytest
from django.db import IntegrityError, connection

from embeddings import ann
from embeddings.current import current_model
from embeddings.models import Embedding
from embeddings.nearest import nearest
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db


def unit(*numbers):
    vector = np.zeros(768, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


def put(count=1, *, vectors, model=None, **changes) -> list[Business]:
    businesses = Business.objects.bulk_create([Business(**values(**changes)) for _ in range(count)])
    Embedding.objects.bulk_create(
        Embedding(
            business=business,
            model=model or current_model(),
            provider="test",
            task_type="RETRIEVAL_DOCUMENT",
            text_hash="0" * 64,
            vector=vector,
        )
        for business, vector in zip(businesses, vectors, strict=True)
    )
    return businesses


def random_vectors(count, seed=1):
    vectors = np.random.default_rng(seed).normal(size=(count, 768)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ids(found):
    return [near.business_id for near in found]


def test_it_agrees_with_a_computation_of_all_distances():
    vectors = random_vectors(200)
    businesses = put(200, vectors=vectors)
    for query in random_vectors(5, seed=2):
        cosines = vectors.astype(np.float16).astype(np.float64) @ query.astype(np.float16).astype(np.float64)
        expected = [businesses[place].pk for place in np.argsort(-cosines)[:10]]
        found = nearest(query, Business.objects.all(), limit=10)
        assert ids(found) == expected
        assert [near.cosine for near in found] == pytest.approx(sorted(cosines, reverse=True)[:10], abs=1e-5)


def test_equally_near_ones_come_in_the_order_of_their_ids():
    businesses = put(5, vectors=[unit(1)] * 5)
    assert ids(nearest(unit(1), Business.objects.all(), limit=3)) == sorted(each.pk for each in businesses)[:3]


def test_only_the_subjects_and_only_the_model_count():
    (near,) = put(vectors=[unit(1)], category="Кафе")
    (other,) = put(vectors=[unit(1, 0.1)], category="Bank")
    put(vectors=[unit(1)], model="another")
    assert ids(nearest(unit(1), Business.objects.all(), limit=10)) == [near.pk, other.pk]
    assert ids(nearest(unit(1), Business.objects.filter(category="Bank"), limit=10)) == [other.pk]
    assert nearest(unit(1), Business.objects.none(), limit=10) == []
    assert len(nearest(unit(1), Business.objects.all(), limit=10, model="another")) == 1


@pytest.mark.django_db(transaction=True)
class TestIndex:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr(ann, "MADE_FROM", 300)
        monkeypatch.setattr(ann, "DROPPED_UNDER", 100)
        monkeypatch.setattr("embeddings.nearest.EXACT_UP_TO", 50)
        ann._believed.clear()
        yield
        ann.drop_index(current_model())

    def test_it_is_made_where_there_are_enough_vectors_and_dropped_where_there_are_few(self):
        put(299, vectors=random_vectors(299))
        assert ann.keep_index() == "not needed"
        assert not ann.has_index(current_model())
        put(1, vectors=[unit(1)])
        assert ann.keep_index() == "made"
        assert ann.has_index(current_model())
        assert ann.keep_index() == "kept"
        Embedding.objects.filter(id__gt=Embedding.objects.order_by("id")[50].id).delete()
        assert ann.keep_index() == "dropped"
        assert not ann.has_index(current_model())

    def test_what_a_broken_making_left_is_made_anew(self):
        put(300, vectors=random_vectors(300))
        name = ann.index_name(current_model())
        with connection.cursor() as cursor, pytest.raises(IntegrityError):
            cursor.execute(f'CREATE UNIQUE INDEX CONCURRENTLY "{name}" ON embeddings_embedding (task_type)')
        assert not ann.has_index(current_model())
        assert ann.keep_index() == "made"

    def test_a_walk_finds_the_same_as_a_scan_also_under_a_filter(self):
        put(200, vectors=random_vectors(200), category="Кафе")
        put(200, vectors=random_vectors(200, seed=3), category="Bank")
        ann.keep_index()
        assert ann.has_index(current_model())
        for query in random_vectors(5, seed=2):
            for subjects in (Business.objects.all(), Business.objects.filter(category="Bank")):
                walked = nearest(query, subjects, limit=10)
                assert ids(walked) == ids(nearest(query, subjects, limit=10, exact=True))

    def test_a_walk_uses_the_index_and_leaves_no_setting_behind(self):
        put(300, vectors=random_vectors(300))
        ann.keep_index()
        name = ann.index_name(current_model())

        def scans():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_stat_force_next_flush()")
                cursor.execute("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = %s", [name])
                return cursor.fetchone()[0]

        before = scans()
        nearest(unit(1), Business.objects.all(), limit=10)
        assert scans() == before + 1
        nearest(unit(1), Business.objects.all(), limit=10, exact=True)
        nearest(unit(1), Business.objects.filter(category="nowhere"), limit=10)
        assert scans() == before + 1
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_seqscan")
            assert cursor.fetchone() == ("on",)
