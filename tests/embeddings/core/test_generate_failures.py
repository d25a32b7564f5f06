"""What goes wrong in the middle of the main job, with real sessions changing the same rows."""

from functools import partial

import pytest
from django.db import connection

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding
from jobs.enqueue import enqueue
from jobs.errors import AuthError, BatchRejected, QuotaExhausted, RateLimited, ServerError
from jobs.execute import run_lane
from jobs.kinds import get_kind
from jobs.lifecycle import claim, take_back_expired
from jobs.models import Attempt, DeadLetter, JobExecution, Lease
from tests.concurrency import at_once
from yellowbook.directory.models import Business
from yellowbook.directory.services import delete_business, update_business

from .conftest import FakeProvider, business, ends, job_of, vector, vector_of, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_call_is_made_inside_a_transaction(provider: FakeProvider) -> None:
    business()
    work()
    assert provider.in_transaction == [False]


def test_a_text_that_changed_during_the_call_is_not_stored_and_the_last_one_wins(provider, session) -> None:
    shop, other = business("Old"), business("Other")
    editor = session()
    provider.meanwhile = lambda texts: editor.do(update_business, shop.pk, {"name": "New"}) and None
    work()
    first, second = JobExecution.objects.filter(subject=str(shop.pk)).order_by("created_at")
    assert (first.status, first.result) == ("succeeded", "superseded")
    assert second.status == "queued"
    assert vector(shop) is None
    assert vector(other) is not None
    provider.meanwhile = lambda texts: None
    work()
    shop.refresh_from_db()
    assert vector(shop).text_hash == shop.text_hash
    assert ends(shop) == [("succeeded", "embedded")]


def test_an_older_vector_stays_when_the_text_changes_during_the_call(provider, session) -> None:
    shop = business("First")
    work()
    before = Embedding.objects.values().get()
    update_business(shop.pk, {"name": "Second"})
    editor = session()
    provider.meanwhile = lambda texts: editor.do(update_business, shop.pk, {"name": "Third"}) and None
    work()
    assert Embedding.objects.values().get() == before


def test_a_text_that_changed_and_changed_back_is_stored(provider, session) -> None:
    shop, editor = business("Same"), session()

    def there_and_back(texts):
        editor.do(update_business, shop.pk, {"name": "Other"})
        editor.do(update_business, shop.pk, {"name": "Same"})

    provider.meanwhile = there_and_back
    work()
    assert vector(shop).text_hash == Business.objects.get(pk=shop.pk).text_hash


def test_a_business_that_was_deleted_during_the_call_fails_alone(provider, session) -> None:
    shop, other = business("A"), business("B")
    editor = session()
    provider.meanwhile = lambda texts: editor.do(delete_business, shop.pk)
    work()
    assert ends(shop, other) == [("dead", "not_found"), ("succeeded", "embedded")]
    assert Embedding.objects.count() == 1
    assert DeadLetter.objects.get().subject == str(shop.pk)


@pytest.mark.parametrize(
    "bad", [[], [1.0] * 767, [float("nan")] * 768, [float("inf")] * 768, [0.0] * 768, None, "no vector", [None] * 768]
)
def test_one_bad_vector_fails_one_job(provider: FakeProvider, bad) -> None:
    shops = [business(name) for name in "ABC"]

    def answer(texts):
        vectors = [vector_of(text) for text in texts]
        vectors[next(n for n, text in enumerate(texts) if text.startswith("B"))] = bad
        return vectors

    provider.meanwhile = answer
    work()
    assert ends(*shops) == [("succeeded", "embedded"), ("retrying", "bad_response"), ("succeeded", "embedded")]
    assert Embedding.objects.count() == 2


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_number_of_vectors_fails_all_since_nobody_knows_whose_they_are(provider: FakeProvider, count) -> None:
    shops = [business(name) for name in "AB"]
    provider.meanwhile = lambda texts: [vector_of(str(n)) for n in range(count)]
    work()
    assert ends(*shops) == [("retrying", "bad_response")] * 2
    assert not Embedding.objects.exists()


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ServerError, "retrying"),
        (RateLimited, "retrying"),
        (AuthError, "dead"),
        (QuotaExhausted, "dead"),
    ],
)
def test_a_failed_call_fails_those_that_needed_it_and_no_others(provider: FakeProvider, error, end) -> None:
    done = business("Done")
    work()

    def fail(texts):
        raise error("no")

    provider.meanwhile = fail
    enqueue(GENERATE_EMBEDDING, subject=done.pk)
    needy = business("Needy")
    work()
    assert ends(done, needy) == [("succeeded", "unchanged"), (end, error.error_class.value)]
    assert Attempt.objects.filter(job=job_of(needy)).count() == 1


def test_a_text_with_a_known_vector_does_not_fail_with_the_call_of_its_neighbours(provider: FakeProvider) -> None:
    business("Done")
    work()

    def fail(texts):
        raise AuthError("no")

    provider.meanwhile = fail
    cached, needy = business("Done"), business("Needy")
    work()
    assert ends(cached, needy) == [("succeeded", "cached"), ("dead", "auth")]


def test_one_rejected_text_is_found_by_halving_and_the_others_are_stored(provider: FakeProvider) -> None:
    shops = [business(name) for name in "ABCDEFG"]

    def reject(texts):
        if any(text.startswith("E") for text in texts):
            raise BatchRejected("invalid argument", status_code=400)

    provider.meanwhile = reject
    while run_lane(GENERATE_EMBEDDING):
        pass
    results = dict(zip("ABCDEFG", ends(*shops), strict=True))
    assert results.pop("E")[0] == "dead"
    assert set(results.values()) == {("succeeded", "embedded")}
    assert Embedding.objects.count() == 6


def test_a_worker_that_lost_its_lease_stores_no_vector(provider: FakeProvider) -> None:
    shop = business()

    def lose(texts):
        Lease.objects.update(expires_at="2000-01-01T00:00:00Z")
        assert take_back_expired() == 1

    provider.meanwhile = lose
    work()
    assert job_of(shop).status == "queued"
    assert vector(shop) is None


def test_two_workers_at_once_send_no_text_twice(provider: FakeProvider, monkeypatch) -> None:
    for n in range(30):
        business(f"{n}")
    at_once(*[lambda: run_lane(GENERATE_EMBEDDING)] * 4)
    while run_lane(GENERATE_EMBEDDING):
        pass
    texts = [text for call in provider.calls for text in call]
    assert len(texts) == len(set(texts)) == 30
    assert Embedding.objects.count() == 30


class TestDeletion:
    """Deleting a business removes its vector and its waiting jobs."""

    def test_of_one(self, provider: FakeProvider) -> None:
        shop, other = business("A"), business("B")
        work()
        update_business(shop.pk, {"name": "C"})
        delete_business(shop.pk)
        assert [each.business_id for each in Embedding.objects.all()] == [other.pk]
        assert ends(shop) == [("cancelled", "subject deleted")]
        assert claim_is_none()

    def test_of_many(self, provider: FakeProvider) -> None:
        for n in range(5):
            business(str(n))
        Business.objects.all().delete()
        assert set(JobExecution.objects.values_list("status", flat=True)) == {"cancelled"}

    def test_while_a_vector_is_stored_leaves_none(self, provider: FakeProvider) -> None:
        for n in range(6):
            shop = business(str(n))
            at_once(work, partial(delete_business, shop.pk))
        assert not Embedding.objects.exists()
        assert not JobExecution.objects.filter(status__in=["queued", "retrying", "running"]).exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM jobs_lease")
            assert cursor.fetchone() == (0,)


def claim_is_none() -> bool:
    return claim(get_kind(GENERATE_EMBEDDING), worker="w") is None
