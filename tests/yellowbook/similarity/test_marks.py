"""What makes lists out of date, and that nothing of it is lost."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from embeddings import signals
from embeddings.models import ServingModel
from jobs.actor import Actor
from jobs.execute import run_lane
from jobs.kinds import get_kind
from jobs.lifecycle import claim
from jobs.models import DeadLetter, JobExecution
from jobs.runs.attend import attend_all
from jobs.upkeep.audit import audit
from tests.concurrency import Session
from tests.yellowbook.similarity.conftest import assert_exact, give_vectors, names, put, random_vectors, unit, work
from yellowbook.directory import services
from yellowbook.directory.models import Business
from yellowbook.similarity import compute, marks
from yellowbook.similarity import store as storing
from yellowbook.similarity.kinds import RENEW_SIMILARITY
from yellowbook.similarity.marks import COMPUTE_SIMILARITY, start_due
from yellowbook.similarity.models import Mark, Similarity
from yellowbook.similarity.services import compute_all, compute_now

pytestmark = pytest.mark.django_db

ACTOR = Actor("test", "cli")


def waiting() -> list[str]:
    return sorted(
        JobExecution.objects.filter(kind=COMPUTE_SIMILARITY, status="queued").values_list("subject", flat=True)
    )


def open_marks() -> int:
    return Mark.objects.filter(told_at=None).count()


def test_a_hundred_vectors_make_as_many_jobs_as_there_are_categories(django_assert_num_queries) -> None:
    each = [{"category": f"c{number % 4}"} for number in range(100)]
    made = put(random_vectors(100), each=each)
    # The write itself (two statements), the model that serves (for two who listen), one statement that marks, one that
    # outdates searches, one that looks for listings of catalogues.
    with django_assert_num_queries(7):
        give_vectors(made, random_vectors(100, seed=2))
    assert start_due() == start_due() + waiting()
    assert len(waiting()) == 4


def test_a_burst_is_waited_for_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "QUIET", 60.0)
    put([unit(1)])
    assert start_due() == []
    monkeypatch.setattr(marks, "PATIENCE", 0.0)
    assert start_due() == ["Ресторан"]


def test_vectors_of_a_model_that_is_being_filled_in_make_nothing() -> None:
    put([unit(1)], model="next")
    assert open_marks() == 0


def test_a_switch_has_everything_compared_by_the_new_model() -> None:
    one, _ = put([unit(1)] * 2)
    work()
    vendor = "local"
    ServingModel.objects.create(vendor=vendor, model="next", previous="x", switched_by="t")
    give_vectors([one], [unit(1)], model="next")
    Mark.objects.all().delete()
    signals.model_switched.send(None, model="next")
    run_lane(RENEW_SIMILARITY)
    assert open_marks() == 1
    work()
    assert Similarity.objects.get(business=one).model == "next"


def test_what_is_due_by_its_age_is_computed_anew() -> None:
    made = put([unit(1)] * 3)
    work()
    before = Similarity.objects.get(business=made[0])
    assert 6.2 < (before.next_compute_at - before.computed_at).total_seconds() / 86_400 <= 7
    assert marks.mark_due() == 0
    Similarity.objects.filter(business=made[0]).update(next_compute_at=before.computed_at)
    assert (marks.mark_due(), marks.mark_due()) == (1, 0)
    work()
    assert Similarity.objects.get(business=made[0]).computed_at > before.computed_at


@pytest.mark.parametrize("how", ["delete", "unpublish", "embed"])
def test_a_neighbour_that_goes_or_changes_leaves_every_list(how: str) -> None:
    one, other, third = put([unit(1), unit(1, 0.1), unit(1, 0.2)])
    (elsewhere,) = put([unit(1)], category="Bank")
    work()
    assert other.pk in names(one)
    assert other.pk in names(elsewhere)
    if how == "delete":
        services.delete_business(other.pk)
    elif how == "unpublish":
        services.update_business(other.pk, {"status": "unpublished"})
    else:
        give_vectors([other], [unit(0, 0, 1)])
    assert work() == ["Bank", "Ресторан"]
    for each in (one, third, elsewhere):
        assert other.pk not in names(each)
    assert open_marks() == 0
    if how != "delete":
        assert_exact(*Business.objects.all())


def test_deleting_a_business_removes_its_own_list() -> None:
    one, _ = put([unit(1)] * 2)
    work()
    services.delete_business(one.pk)
    assert not Similarity.objects.filter(business_id=one.pk).exists()


@pytest.mark.parametrize(
    ("changes", "marked"),
    [({"city": "Дархан"}, 1), ({"price_level": 4}, 1), ({"phone": "1"}, 0), ({"name": "Other"}, 0)],
)
def test_only_fields_that_matter_have_lists_computed_anew(changes: dict[str, Any], marked: int) -> None:
    one, other = put([unit(1)] * 2)
    work()
    services.update_business(one.pk, changes)
    assert open_marks() == marked
    work()
    assert_exact(Business.objects.get(pk=other.pk))


def test_a_new_business_is_marked_by_its_vector_and_not_before() -> None:
    services.create_business({"name": "A", "category": "B", "address": "C"})
    assert open_marks() == 0


def test_a_business_that_moves_is_compared_in_its_new_category() -> None:
    made = put(random_vectors(5))
    put(random_vectors(110, seed=2), category="Кафе")
    work()
    services.update_business(made[0].pk, {"category": "Кафе"})
    work()
    assert Similarity.objects.get(business=made[0]).candidates == 110
    assert_exact(*Business.objects.filter(category="Ресторан"))


def test_what_is_marked_while_it_is_computed_stays_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = put([unit(1)] * 2)
    store = storing.store

    def meanwhile(*args, **kwargs) -> None:
        monkeypatch.setattr(compute, "store", store)
        give_vectors([other], [unit(0, 1)])
        store(*args, **kwargs)

    monkeypatch.setattr(compute, "store", meanwhile)
    start_due()
    run_lane(COMPUTE_SIMILARITY)
    assert open_marks() == 1
    work()
    assert_exact(one, other)
    assert names(one) == []


@pytest.mark.django_db(transaction=True)
def test_a_list_that_is_stored_after_its_listers_were_looked_for_is_computed_again(
    session: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = put([unit(1)] * 2)
    store = storing.store
    second = session()

    def overtaken(*args, **kwargs) -> None:
        monkeypatch.setattr(compute, "store", store)

        def unpublish() -> None:
            services.update_business(other.pk, {"status": "unpublished"})
            marks.tell([other.category])

        second.do(unpublish)
        store(*args, **kwargs)

    monkeypatch.setattr(compute, "store", overtaken)
    start_due()
    run_lane(COMPUTE_SIMILARITY)
    assert names(one) == [other.pk]
    assert Mark.objects.filter(business_id=one.pk, told_at=None).exists()
    work()
    assert names(one) == []


def test_an_older_result_never_replaces_a_newer_one() -> None:
    one, _ = put([unit(1)] * 2)
    work()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE similarity_similarity SET computed_at = computed_at + interval '1 hour', candidates = 77"
        )
    marks.mark([one.pk], listed=False)
    work()
    assert Similarity.objects.get(business=one).candidates == 77


def test_a_job_that_failed_for_good_is_not_made_again_until_something_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = put([unit(1)] * 2)
    start_due()

    def fail(work) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(compute, "compute", fail)
    JobExecution.objects.update(max_retries=0)
    run_lane(COMPUTE_SIMILARITY)
    assert DeadLetter.objects.count() == 1
    assert start_due() == []
    give_vectors([one], [unit(1)])
    assert start_due() == ["Ресторан"]


def test_marks_that_a_job_under_way_deals_with_make_no_second_one() -> None:
    one, _ = put([unit(1)] * 2)
    assert start_due() == ["Ресторан"]
    assert claim(get_kind(COMPUTE_SIMILARITY), worker="w") is not None
    assert start_due() == []
    give_vectors([one], [unit(1)])
    assert start_due() == ["Ресторан"]


def test_what_takes_too_long_goes_on_later(monkeypatch: pytest.MonkeyPatch) -> None:
    put(random_vectors(4))
    monkeypatch.setattr(compute, "WITHIN", -1.0)
    monkeypatch.setattr(compute, "CHUNK", 3)
    start_due()
    run_lane(COMPUTE_SIMILARITY)
    assert (Similarity.objects.count(), open_marks(), waiting()) == (3, 1, ["Ресторан"])
    run_lane(COMPUTE_SIMILARITY)
    assert (Similarity.objects.count(), open_marks(), waiting()) == (4, 0, [])


def test_marks_of_a_deleted_business_and_old_ones_are_forgotten() -> None:
    (one,) = put([unit(1)])
    Business.objects.filter(pk=one.pk).delete()
    work()
    assert open_marks() == 0
    Mark.objects.create(business_id=uuid4(), category="x", run_id=uuid4())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE similarity_mark SET told_at = told_at - interval '2 hours'")
    marks.forget()
    assert Mark.objects.count() == 0


def test_a_run_computes_everything_category_by_category() -> None:
    made = [*put(random_vectors(5)), *put(random_vectors(3, seed=2), category="Кафе")]
    work()
    before = dict(Similarity.objects.values_list("business_id", "computed_at"))
    run = compute_all(actor=ACTOR)
    assert run.total == 2
    assert start_due() == []
    while run_lane(COMPUTE_SIMILARITY):
        attend_all()
    attend_all()
    run.refresh_from_db()
    assert (run.state, run.made, open_marks()) == ("completed", 2, 0)
    for business in made:
        assert Similarity.objects.get(business=business).computed_at > before[business.pk]


def test_one_business_is_computed_before_others() -> None:
    one, _ = put([unit(1)] * 2)
    entry = compute_now(one.pk, actor=ACTOR)
    assert JobExecution.objects.get(id=entry.job_id).priority == 0
    without = Business.objects.create(name="A", category="B", address="C")
    assert compute_now(without.pk, actor=ACTOR) is None
    with pytest.raises(Business.DoesNotExist):
        compute_now(uuid4(), actor=ACTOR)


def test_invariants_find_what_nobody_looks_after() -> None:
    def violated() -> dict[str, int]:
        chosen = ["similar_businesses_are_there", "similar_businesses_are_computed", "similarity_marks_have_job"]
        return {verdict.invariant.name: verdict.finding.count for verdict in audit(chosen) if not verdict.holds}

    one, other = put([unit(1)] * 2)
    work()
    assert violated() == {}
    Similarity.objects.filter(business=one).update(neighbours=[uuid4()])
    assert violated() == {"similar_businesses_are_there": 1}
    Similarity.objects.filter(business=one).delete()
    one.embeddings.update(created_at="2020-01-01T00:00:00Z")
    assert violated() == {"similar_businesses_are_computed": 1}
    marks.mark([other.pk, one.pk], listed=False)
    Mark.objects.update(created_at="2020-01-01T00:00:00Z")
    assert violated() == {"similarity_marks_have_job": 1}
    start_due()
    assert violated() == {}
