"""Sketches: candidates for the nearest, what has changed since they were made, and who keeps them."""

import time
from uuid import UUID

import numpy as np
import psycopg
import pytest
from django.db import connection

from embeddings.blocks import Block, as_ids, as_uuids
from embeddings.current import current_model
from embeddings.models import Change, Embedding
from embeddings.nearest import nearest
from embeddings.sketches import changes, table
from embeddings.sketches import keeper as keeping
from embeddings.sketches.changes import changed_since, current_snapshot, note_changes, prune
from embeddings.sketches.keeper import Keeper, keeper
from embeddings.sketches.load import load, updated
from embeddings.sketches.table import (
    COMPONENTS,
    LARGEST,
    PEAK,
    Sketches,
    even_axes,
    facet_code,
    principal_axes,
    products,
)
from tests.embeddings.core.test_nearest import ids, put, unit
from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db(transaction=True)


def low_dimensional(count, seed=1, dimensions=20):
    """Return unit vectors that lie in few dimensions, as those of real texts nearly do."""
    chance = np.random.default_rng(seed)
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(768, dimensions)))[0]
    vectors = (chance.normal(size=(count, dimensions)) @ axes.T).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def few(monkeypatch):
    """Let the candidates be so few that most subjects are none."""
    monkeypatch.setattr(table, "ENOUGH", 20)
    monkeypatch.setattr(table, "FOR_EACH", 1)


@pytest.fixture
def kept(monkeypatch):
    """Let sketches pay for a hundred vectors, and be kept as they are once they are made."""
    monkeypatch.setattr(keeping, "PAYS_FROM", 50)
    monkeypatch.setattr(keeping, "UPDATE_EVERY", 3600)

    def make():
        keeper.forget()
        assert keeper.sketches_of(current_model()) is None
        keeper._updating.join(timeout=30)
        assert len(keeper.sketches_of(current_model())) == Embedding.objects.filter(model=current_model()).count()

    yield make
    keeper.forget()


def test_the_nearest_are_among_the_candidates(few):
    vectors = low_dimensional(400)
    businesses = put(400, vectors=vectors)
    sketches = load(current_model())
    for query in low_dimensional(10, seed=2):
        expected = [businesses[place].pk for place in np.argsort(-(vectors @ query))[:10]]
        found = as_uuids(sketches.candidates(query, {}, 10).ids)
        assert len(found) == 20
        assert set(expected) <= set(found)


@pytest.mark.parametrize("scattered", [0, 1000], ids=["gathered", "all compared"])
def test_only_subjects_with_the_values_asked_for_are_candidates(few, monkeypatch, scattered):
    monkeypatch.setattr(table, "SCATTERED", scattered)
    put(100, vectors=low_dimensional(100), category="Кафе", city="Мөрөн", price_level=2)
    other = put(100, vectors=low_dimensional(100, seed=3), category="Кафе", city="Ховд", price_level=None)
    put(100, vectors=low_dimensional(100, seed=4), category="Bank", city="Ховд", price_level=None)
    sketches = load(current_model())
    for narrowed in ({"category": "Кафе", "city": "Ховд"}, {"category": "Кафе", "price_level": None}):
        found = as_uuids(sketches.candidates(low_dimensional(1, seed=2)[0], narrowed, 10).ids)
        assert len(found) == 20
        assert set(found) <= {business.pk for business in other}
    assert len(sketches.candidates(unit(1), {"category": "nowhere"}, 10)) == 0
    assert len(sketches.candidates(unit(1), {"price_level": 2, "city": "Мөрөн"}, 10)) == 20
    with pytest.raises(ValueError, match="name is no facet"):
        sketches.candidates(unit(1), {"name": "Номин"}, 10)


@pytest.mark.parametrize("value", ["", None, 3, "Кафе", "It's 100 %", "a\nb"])
def test_postgresql_and_python_have_one_code_for_a_value(value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT ('x' || left(md5(coalesce(%s::text, '')), 8))::bit(32)::int", [value])
        assert cursor.fetchone() == (facet_code(value),)


def test_of_all_axes_the_principal_ones_keep_most():
    vectors = np.repeat(np.eye(5, 768, dtype=np.float32), 60, axis=0)
    axes = principal_axes([vectors[:100], vectors[100:]], 5)
    assert axes.T @ axes == pytest.approx(np.eye(5), abs=1e-4)
    assert np.linalg.norm(vectors @ axes, axis=1) == pytest.approx(np.ones(300), abs=1e-3)


def test_even_axes_span_the_same_and_have_like_shares():
    vectors = low_dimensional(300, dimensions=5) * np.float32(0.1)
    vectors[:, 0] += 1.0
    principal = principal_axes([vectors])
    even = even_axes(principal)
    assert even.T @ even == pytest.approx(np.eye(COMPONENTS), abs=1e-4)
    assert (vectors @ even) @ (vectors @ even).T == pytest.approx(
        (vectors @ principal) @ (vectors @ principal).T, abs=1e-3
    )
    assert np.abs(vectors @ principal).max() > 0.9
    assert np.abs(vectors @ even).max() < PEAK


def test_a_component_beyond_the_peak_counts_as_the_largest():
    axes = np.eye(768, COMPONENTS, dtype=np.float32)
    none = Sketches.empty("m", axes, (), "")
    vectors = np.zeros((2, 768), np.float16)
    vectors[:, 0] = (1.0, -PEAK / LARGEST)
    block = Block(as_ids([UUID(int=1), UUID(int=2)]), vectors)
    rows = none.of(block).rows
    assert rows[:, 0].tolist() == [LARGEST, -1]
    assert not rows[:, 1:].any()


def test_products_are_exact_whatever_the_processor():
    chance = np.random.default_rng(3)
    rows = chance.integers(-LARGEST, LARGEST, (1000, COMPONENTS), np.int8, endpoint=True)
    rows[0], rows[1] = LARGEST, -LARGEST
    for sketch in (chance.normal(size=COMPONENTS), np.ones(COMPONENTS), np.zeros(COMPONENTS)):
        expected = np.rint(sketch * (LARGEST / max(np.abs(sketch).max(), 1e-9))).astype(int)
        assert (products(rows, sketch.astype(np.float32)) == rows.astype(int) @ expected).all()
    assert len(products(rows[:0], np.ones(COMPONENTS, np.float32))) == 0


class TestChanges:
    def test_those_count_that_a_snapshot_does_not_show(self):
        first, second = put(2, vectors=[unit(1)] * 2)
        note_changes([first.pk])
        snapshot = current_snapshot()
        assert len(changed_since(snapshot)) == 0
        note_changes([second.pk, second.pk])
        assert as_uuids(changed_since(snapshot)) == [second.pk]

    def test_one_counts_that_was_under_way_when_the_snapshot_was_taken(self):
        (business,) = put(vectors=[unit(1)])
        database = connection.settings_dict
        with psycopg.connect(
            host=database["HOST"],
            port=database["PORT"],
            user=database["USER"],
            password=database["PASSWORD"],
            dbname=database["NAME"],
        ) as other:
            other.execute("INSERT INTO embeddings_change (business_id) VALUES (%s)", [business.pk])
            note_changes([])
            snapshot = current_snapshot()
            assert len(changed_since(snapshot)) == 0
        assert as_uuids(changed_since(snapshot)) == [business.pk]

    def test_old_ones_are_forgotten(self, monkeypatch):
        note_changes([business.pk for business in put(2, vectors=[unit(1)] * 2)])
        prune()
        assert Change.objects.count() == 2
        monkeypatch.setattr(changes, "KEPT_FOR", -1.0)
        prune()
        assert Change.objects.count() == 0

    def test_they_are_noted_for_fields_that_neighbours_are_narrowed_by_and_no_others(self):
        (business,) = put(vectors=[unit(1)])
        business.phone = "99112233"
        business.save(update_fields=["phone"])
        assert not Change.objects.exists()
        business.city = "Ховд"
        business.save(update_fields=["city"])
        assert [change.business_id for change in Change.objects.all()] == [business.pk]
        Business.objects.create(name="Номин", category="Кафе", address="Мөрөн")
        assert Change.objects.count() == 1


class TestNearest:
    """Whatever happens after the sketches were made, the answer is that of a scan."""

    def agree(self, subjects, narrowed=None):
        for query in (*low_dimensional(5, seed=2), unit(1)):
            found = nearest(query, subjects, limit=10, narrowed=narrowed)
            assert ids(found) == ids(nearest(query, subjects, limit=10, exact=True))
        return ids(found)

    def test_nothing_else_is_found(self, few, kept):
        put(100, vectors=low_dimensional(100), category="Кафе")
        put(100, vectors=low_dimensional(100, seed=3), category="Bank")
        put(5, vectors=low_dimensional(5, seed=4), model="another")
        kept()
        self.agree(Business.objects.all())
        self.agree(Business.objects.filter(category="Bank"), {"category": "Bank"})
        # Not told what the subjects have in common, few candidates are among them, or none.
        put(20, vectors=[-low_dimensional(1, seed=2)[0]] * 20, category="Bank", city="Ховд")
        kept()
        self.agree(Business.objects.filter(city="Ховд"))
        assert nearest(unit(1), Business.objects.none(), limit=10) == []

    def test_what_is_new_is_found_and_what_is_gone_is_not(self, few, kept):
        vectors = low_dimensional(100)
        first, *_ = put(100, vectors=vectors)
        kept()
        (new,) = put(vectors=[unit(1)])
        note_changes([new.pk])
        assert self.agree(Business.objects.all())[0] == new.pk
        Embedding.objects.filter(business=first).update(vector=unit(1, 0.1))
        note_changes([first.pk])
        assert self.agree(Business.objects.all())[:2] == [new.pk, first.pk]
        new.delete()
        assert self.agree(Business.objects.all())[0] == first.pk

    def test_a_filter_finds_what_has_come_under_it(self, few, kept):
        moved, *_ = put(100, vectors=low_dimensional(100), city="Мөрөн")
        put(100, vectors=low_dimensional(100, seed=3), city="Ховд")
        kept()
        moved.city = "Ховд"
        moved.save()
        subjects = Business.objects.filter(city="Ховд")
        found = nearest(low_dimensional(100)[0], subjects, limit=3, narrowed={"city": "Ховд"})
        assert found[0].business_id == moved.pk

    def test_updated_sketches_show_what_has_changed(self, few):
        first, second, *_ = put(100, vectors=low_dimensional(100), city="Мөрөн")
        before = load(current_model())
        first.city = "Ховд"
        first.save()
        second.delete()
        (new,) = put(vectors=[unit(1)], city="Ховд")
        note_changes([new.pk])
        after = updated(before)
        assert len(changed_since(after.snapshot)) == 0
        assert set(as_uuids(after.candidates(unit(1), {"city": "Ховд"}, 10).ids)) == {first.pk, new.pk}
        # What was deleted stays until they are made anew; no row answers to it.
        assert len(after) == 101
        assert set(as_uuids(before.candidates(unit(1), {"city": "Ховд"}, 10).ids)) == set()


class TestKeeper:
    @pytest.fixture
    def mine(self, monkeypatch):
        monkeypatch.setattr(keeping, "PAYS_FROM", 50)
        mine = Keeper()
        yield mine
        mine.forget()

    def wait(self, mine):
        mine._updating.join(timeout=30)
        assert not mine._updating.is_alive()

    def test_few_vectors_are_looked_at_again_after_a_while(self, mine, django_assert_num_queries):
        put(50, vectors=low_dimensional(50))
        model = current_model()
        with django_assert_num_queries(1):
            assert mine.sketches_of(model) is None
            assert mine.sketches_of(model) is None
        put(1, vectors=[unit(1)])
        mine._look_at = 0.0
        mine.sketches_of(current_model())
        self.wait(mine)
        assert len(mine.sketches_of(current_model())) == 51

    def test_they_are_updated_behind_the_searches(self, mine, monkeypatch):
        put(60, vectors=low_dimensional(60))
        mine.sketches_of(current_model())
        self.wait(mine)
        before = mine.sketches_of(current_model())
        note_changes([business.pk for business in put(2, vectors=[unit(1)] * 2)])
        assert mine.sketches_of(current_model()) is before
        mine._update_at = 0.0
        assert mine.sketches_of(current_model()) is before
        self.wait(mine)
        after = mine.sketches_of(current_model())
        assert len(after) == 62
        assert after.axes is before.axes

    def test_they_are_made_anew_when_they_are_old_or_for_another_model(self, mine, monkeypatch):
        put(60, vectors=low_dimensional(60))
        put(70, vectors=low_dimensional(70), model="another")
        mine.sketches_of(current_model())
        self.wait(mine)
        before = mine.sketches_of(current_model())
        monkeypatch.setattr(keeping, "ANEW_AFTER", 0.0)
        mine._update_at = 0.0
        mine.sketches_of(current_model())
        self.wait(mine)
        assert mine.sketches_of(current_model()).axes is not before.axes
        mine._update_at = 0.0
        assert mine.sketches_of("another") is None
        self.wait(mine)
        assert len(mine.sketches_of("another")) == 70

    def test_those_whose_changes_may_be_forgotten_are_not_used(self, mine, monkeypatch):
        put(60, vectors=low_dimensional(60))
        mine.sketches_of(current_model())
        self.wait(mine)
        monkeypatch.setattr(keeping, "GOOD_FOR", 0.0)
        assert mine.sketches_of(current_model()) is None
        assert keeping.GOOD_FOR < changes.KEPT_FOR

    def test_a_failure_leaves_what_there_is_and_is_followed_by_a_rest(self, mine, monkeypatch):
        put(60, vectors=low_dimensional(60))
        mine.sketches_of(current_model())
        self.wait(mine)
        before = mine.sketches_of(current_model())

        def broken(sketches):
            raise RuntimeError("the database is away")

        monkeypatch.setattr(keeping, "updated", broken)
        mine._update_at = 0.0
        mine.sketches_of(current_model())
        self.wait(mine)
        assert mine.sketches_of(current_model()) is before
        assert mine._update_at > time.monotonic() + keeping.REST / 2
