"""The main job through real claims: one provider call for a whole batch, each job with its own end."""

import numpy as np
import pytest

from embeddings import source
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding, ProviderUsage
from embeddings.providers.base import TaskType
from embeddings.source import SourceText
from jobs.enqueue import enqueue
from jobs.errors import ServerError
from jobs.models import DeadLetter, JobExecution
from yellowbook.directory.models import Business
from yellowbook.directory.text import embedded_text, text_hash
from yellowbook.search.models import Document

from .conftest import MODEL, FakeProvider, business, ends, job_of, numbers_of, sent, vector, vector_of, work

pytestmark = pytest.mark.django_db


def again(*made: Business) -> None:
    for each in made:
        enqueue(GENERATE_EMBEDDING, subject=each.pk)


def test_a_batch_is_one_call_and_every_vector_is_stored_with_its_origin(provider: FakeProvider) -> None:
    shops = [business(f"Дэлгүүр {n}", description="Өргөн сонголт") for n in range(5)]
    work()
    assert [len(call) for call in provider.calls] == [5]
    assert provider.tasks == {TaskType.DOCUMENT}
    assert ends(*shops) == [("succeeded", "embedded")] * 5
    for shop in shops:
        stored = vector(shop)
        assert (stored.model, stored.provider, stored.task_type) == (MODEL, "fake", "RETRIEVAL_DOCUMENT")
        assert stored.text_hash == shop.text_hash == text_hash(embedded_text(shop))
        assert (stored.job_id, stored.truncated) == (job_of(shop).id, False)
        expected = np.array(vector_of(sent(shop)))
        got = numbers_of(stored)
        assert np.linalg.norm(got) == pytest.approx(1, abs=1e-3)
        assert got @ expected / np.linalg.norm(expected) == pytest.approx(1, abs=1e-4)


def test_the_steps_of_a_job_can_be_followed(provider: FakeProvider) -> None:
    shop = business()
    work()
    assert [step["progress"] for step in job_of(shop).steps] == [10, 30, 50, 80, 100]


def test_a_text_that_is_stored_already_costs_no_call(provider: FakeProvider) -> None:
    shop = business()
    work()
    before = Embedding.objects.values().get()
    again(shop)
    work()
    assert len(provider.calls) == 1
    assert ends(shop) == [("succeeded", "unchanged")]
    assert Embedding.objects.values().get() == before


def test_a_text_that_another_business_has_a_vector_of_costs_no_call(provider: FakeProvider) -> None:
    first = business()
    work()
    second = business()
    work()
    assert len(provider.calls) == 1
    assert ends(first, second) == [("succeeded", "embedded"), ("succeeded", "cached")]
    assert (numbers_of(vector(first)) == numbers_of(vector(second))).all()
    assert vector(second).job_id == job_of(second).id


def test_a_text_that_comes_twice_in_a_batch_is_sent_once(provider: FakeProvider) -> None:
    shops = [business("A"), business("B"), business("A"), business("A")]
    work()
    assert sorted(provider.calls[0]) == sorted({sent(shop) for shop in shops})
    assert ends(*shops) == [("succeeded", result) for result in ("embedded", "embedded", "cached", "cached")]
    first, other, *same = (numbers_of(vector(shop)) for shop in shops)
    assert all((each == first).all() for each in same)
    assert (first != other).any()


def test_a_vector_of_another_model_is_neither_reused_nor_replaced(provider: FakeProvider, use_model) -> None:
    first = business()
    work()
    newer = use_model("fake-2")
    second = business()
    again(first)
    work()
    assert [len(call) for call in newer.calls] == [1]
    assert {end for end, _ in ends(first, second)} == {"succeeded"}
    assert sorted(result for _, result in ends(first, second)) == ["cached", "embedded"]
    assert vector(first, "fake-1") is not None
    assert vector(second, "fake-1") is None
    assert vector(first, "fake-2") is not None
    assert vector(second, "fake-2") is not None


def test_a_new_text_replaces_the_vector_of_the_old_one(provider: FakeProvider) -> None:
    shop = business()
    work()
    old = vector(shop)
    shop.description = "Шинэ"
    shop.save()
    work()
    new = vector(shop)
    assert new.pk == old.pk
    assert (new.text_hash, new.job_id) == (shop.text_hash, job_of(shop).id)
    assert (numbers_of(new) != numbers_of(old)).any()
    assert new.created_at > old.created_at


def test_going_back_to_an_earlier_text_is_embedded_again_and_ends_right(provider: FakeProvider) -> None:
    shop = business()
    work()
    for name in ("Other", "Номин"):
        shop.name = name
        shop.save()
        work()
    assert vector(shop).text_hash == shop.text_hash


def test_a_subject_that_is_no_id_or_no_business_dies_alone(provider: FakeProvider) -> None:
    shop, gone = business("A"), business("B")
    enqueue(GENERATE_EMBEDDING, subject="not-a-uuid")
    Document.objects.filter(business=gone).delete()
    Business.objects.filter(pk=gone.pk)._raw_delete("default")
    work()
    assert ends(shop, gone) == [("succeeded", "embedded"), ("dead", "not_found")]
    assert JobExecution.objects.get(subject="not-a-uuid").error_class == "not_found"
    assert DeadLetter.objects.count() == 2
    assert provider.calls == [[sent(shop)]]


def test_a_text_that_no_model_accepts_dies_alone_and_is_not_sent(provider: FakeProvider, monkeypatch) -> None:
    shops = [business(name) for name in "ABC"]
    texts = source.text_source().texts

    def broken(ids):
        found = dict(texts(ids))
        for shop, text in zip(shops[:2], (" \n\t ", "half \ud800"), strict=True):
            if shop.pk in found:
                found[shop.pk] = SourceText(text, found[shop.pk].text_hash, "x")
        return found

    monkeypatch.setattr(source.text_source(), "texts", broken, raising=False)
    work()
    assert ends(*shops) == [("dead", "invalid_input"), ("dead", "invalid_input"), ("succeeded", "embedded")]
    assert provider.calls == [[sent(shops[2])]]


def test_a_long_text_is_cut_and_marked(provider: FakeProvider) -> None:
    shop, same = business(description="ресторан " * 2000), business(description="ресторан " * 2000)
    work()
    assert len(provider.calls[0][0]) <= provider.max_tokens * 2
    assert (vector(shop).truncated, vector(same).truncated) == (True, True)
    third = business(description="ресторан " * 2000)
    work()
    assert (ends(third), vector(third).truncated) == ([("succeeded", "cached")], True)


def test_calls_and_texts_are_counted_by_day_and_outcome(provider: FakeProvider) -> None:
    for n in range(3):
        business(str(n))
    work()
    business("again")
    work()

    def fail(texts):
        raise ServerError("busy")

    provider.meanwhile = fail
    business("failing")
    work()
    usage = {row.outcome: (row.provider, row.model, row.calls, row.texts) for row in ProviderUsage.objects.all()}
    assert usage == {"ok": ("fake", MODEL, 2, 4), "server": ("fake", MODEL, 1, 1)}
    assert all(row.seconds >= 0 for row in ProviderUsage.objects.all())


def test_a_call_that_raises_something_unknown_is_counted_as_a_failure(provider: FakeProvider) -> None:
    def fail(texts):
        raise RuntimeError("a defect of the provider's file")

    provider.meanwhile = fail
    shop = business()
    work()
    assert ends(shop) == [("retrying", "server")]
    assert "ok" not in set(ProviderUsage.objects.values_list("outcome", flat=True))
