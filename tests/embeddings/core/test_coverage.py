"""How well the businesses are covered: counts come from the rows."""

import pytest

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.selectors import coverage
from embeddings.services import embed_all
from jobs.actor import Actor
from jobs.models import JobExecution, Run
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business

from .conftest import MODEL, business, ends, vector, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider")]
OPERATOR = Actor("op", "cli")


def numbers() -> dict[str, float]:
    told = coverage()
    names = ("total", "with_embeddings", "without_embeddings", "stale", "coverage_percentage")
    return dict(zip(names, (told[name] for name in names), strict=True))


def test_of_nothing() -> None:
    assert numbers() == {
        "total": 0,
        "with_embeddings": 0,
        "without_embeddings": 0,
        "stale": 0,
        "coverage_percentage": 100.0,
    }
    assert coverage()["oldest_waiting_seconds"] is None
    assert coverage()["by_model"] == []


def test_of_some() -> None:
    for n in range(3):
        business(str(n))
    assert numbers()["without_embeddings"] == 3
    assert coverage()["oldest_waiting_seconds"] >= 0
    work()
    business("late")
    assert numbers() == {
        "total": 4,
        "with_embeddings": 3,
        "without_embeddings": 1,
        "stale": 0,
        "coverage_percentage": 75.0,
    }
    assert [(each["model"], each["count"]) for each in coverage()["by_model"]] == [(MODEL, 3)]


def test_a_changed_text_is_stale_until_it_is_embedded() -> None:
    shop = business("A")
    work()
    update_business(shop.pk, {"name": "B"})
    assert numbers()["stale"] == 1
    assert numbers()["with_embeddings"] == 1
    work()
    assert numbers()["stale"] == 0


def begun() -> int:
    """Start a run over everything that needs it; return how many businesses that are."""
    Run.objects.update(state="completed")
    return embed_all({}, actor=OPERATOR).total


def test_a_text_changed_behind_our_back_is_stale_too() -> None:
    shop = business("A")
    work()
    Business.objects.filter(pk=shop.pk).update(name="B")
    assert numbers()["stale"] == 1
    assert embed_all({}, actor=OPERATOR).total == 1


def test_another_model_makes_every_vector_stale_until_it_is_filled_in(use_model) -> None:
    shops = [business(str(n)) for n in range(3)]
    work()
    use_model("fake-2")
    assert numbers() == {
        "total": 3,
        "with_embeddings": 0,
        "without_embeddings": 3,
        "stale": 3,
        "coverage_percentage": 0.0,
    }
    assert begun() == 3
    work()
    assert numbers()["stale"] == 0
    assert numbers()["coverage_percentage"] == 100.0
    assert [(each["model"], each["count"]) for each in coverage()["by_model"]] == [(MODEL, 3), ("fake-2", 3)]
    assert all(vector(shop) for shop in shops), "the old model keeps serving until it is removed"
    use_model(MODEL)
    assert numbers()["stale"] == 0


def test_only_what_is_not_fresh_is_embedded_again() -> None:
    done = business("done")
    work()
    missing = business("missing")
    JobExecution.objects.filter(subject=str(missing.pk)).delete()
    assert begun() == 1
    job = JobExecution.objects.get(subject=str(missing.pk))
    assert (job.kind, job.status, job.priority, job.operation) == (GENERATE_EMBEDDING, "queued", 2, "bulk")
    assert JobExecution.objects.filter(subject=str(done.pk)).count() == 1
    work()
    assert ends(done, missing) == [("succeeded", "embedded")] * 2
    assert begun() == 0


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_a_run_over_all_stops_at_its_limit(limit) -> None:
    for n in range(7):
        business(str(n))
    JobExecution.objects.all().delete()
    assert embed_all({"limit": limit}, actor=OPERATOR).total == min(limit, 7)
    assert JobExecution.objects.count() == min(limit, 7)


def test_coverage_takes_the_same_queries_for_any_number(django_assert_max_num_queries) -> None:
    for n in range(20):
        business(str(n))
    with django_assert_max_num_queries(5):
        coverage()
