"""The job `embed_profile`, by the stand-in: what costs a call, what fails, and what happens meanwhile."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection

from embeddings.calls import embed_texts
from embeddings.current import current_model
from embeddings.models import ServingModel
from embeddings.providers import vendor
from embeddings.quota import history
from embeddings.standin.faults import Rule
from embeddings.standin.service import StandIn
from jobs.enqueue import enqueue
from jobs.execute import run_lane
from jobs.models import DeadLetter, JobExecution
from jobs.states import Status
from tests.jobs.support import make_due
from yellowbook.recommendations import services
from yellowbook.recommendations.models import TasteProfile, TasteVector
from yellowbook.recommendations.names import EMBED_PROFILE

from .conftest import jobs, meanwhile, profile, texts, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("standin")]


def complete(user: User, about: str = "кофе") -> TasteProfile:
    return services.complete(user, {"about": about})[0]


def test_the_text_of_the_answers_is_all_that_is_sent(user: User, standin: StandIn) -> None:
    answers = {"categories": ["Кафе", "Бар"], "cities": ["Дархан"], "occasions": ["wedding"], "about": "тайван"}
    services.complete(user, answers)
    assert work() == ["embedded"]
    assert texts(standin) == ["Кафе, Бар\nХурим, Wedding\nтайван"]
    stored = TasteVector.objects.get()
    assert (stored.task_type, stored.provider) == ("SEMANTIC_SIMILARITY", "gemini")
    assert stored.text_hash == profile().text_hash


def test_a_save_that_leaves_the_text_as_it_was_makes_no_job(user: User) -> None:
    complete(user)
    work()
    services.change(user, {"cities": ["Дархан"], "price_levels": [1]})
    complete(user)
    assert len(jobs()) == 1


def test_a_second_save_joins_the_job_that_waits(user: User, standin: StandIn) -> None:
    complete(user)
    complete(user, "бууз")
    assert work() == ["embedded"]
    assert texts(standin) == ["бууз"]


def test_a_job_of_a_text_that_is_embedded_costs_nothing(user: User, standin: StandIn) -> None:
    complete(user)
    work()
    enqueue(EMBED_PROFILE, subject=profile().pk)
    assert work() == ["embedded", "unchanged"]
    assert len(texts(standin)) == 1


def test_several_profiles_are_one_call(standin: StandIn) -> None:
    for number in range(3):
        complete(User.objects.create_user(str(number)), f"кофе {number}")
    assert work() == ["embedded"] * 3
    assert len(standin.log.calls()) == 1


def test_answers_that_change_meanwhile_win(user: User, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    complete(user)
    meanwhile(standin, monkeypatch, lambda: complete(user, "бууз"))
    assert work() == ["superseded", "embedded"]
    assert TasteVector.objects.get().text_hash == profile().text_hash


def test_a_worker_that_lost_its_job_stores_nothing(
    user: User, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(user)
    lost = {"status": Status.CANCELLED, "lease_id": None}
    meanwhile(standin, monkeypatch, lambda: JobExecution.objects.update(**lost))
    run_lane(EMBED_PROFILE)
    assert len(texts(standin)) == 1
    assert not TasteVector.objects.exists()


def test_a_model_that_begins_to_serve_meanwhile_has_the_job_go_back(
    user: User, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(user)
    other = {"vendor": vendor("gemini"), "model": "gemini-embedding-002", "switched_by": "x"}
    meanwhile(standin, monkeypatch, lambda: ServingModel.objects.create(**other))
    assert work() == ["embedded"]
    assert len(texts(standin)) == 2
    assert TasteVector.objects.get().model == "gemini-embedding-002"


def test_a_user_who_is_deleted_meanwhile_is_a_dead_letter_and_leaves_nothing(
    user: User, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(user)
    meanwhile(standin, monkeypatch, user.delete)
    work()
    assert DeadLetter.objects.get().error_class == "not_found"
    assert not TasteProfile.objects.exists()


def test_a_user_takes_everything_along_and_no_job_names_them(user: User) -> None:
    complete(user)
    work()
    complete(user, "бууз")
    user.delete()
    assert [job.status for job in jobs()] == [Status.SUCCEEDED, Status.CANCELLED]
    assert jobs()[1].result == "taste profile deleted"
    assert "сараа" not in str(list(JobExecution.objects.values()))
    for model in (TasteProfile, TasteVector):
        assert not model.objects.exists()


def test_a_profile_that_was_deleted_since_it_was_read_gets_no_job(user: User) -> None:
    read = complete(user)
    services.delete_profile(user)
    with pytest.raises(TasteProfile.DoesNotExist):
        services.see_to(read, current_model())
    assert [job.status for job in jobs()] == [Status.CANCELLED]


def test_a_failure_is_sat_out_longer_than_a_save_waits(user: User, standin: StandIn) -> None:
    complete(user)
    standin.faults.add(Rule(fault="500", calls=12))
    work()
    while waiting := list(JobExecution.objects.filter(status=Status.RETRYING)):
        make_due(*waiting)
        work()
    assert (jobs()[0].status, len(standin.log.calls())) == (Status.SUCCEEDED, 13)


def test_a_refusal_in_spite_of_the_budget_has_the_job_wait(user: User, standin: StandIn) -> None:
    complete(user)
    standin.faults.add(Rule(fault="429_bare"))
    work()
    assert (jobs()[0].status, jobs()[0].error_class) == (Status.RETRYING, "rate_limited")


def test_a_vector_that_is_none_fails_alone(standin: StandIn) -> None:
    for number in range(2):
        complete(User.objects.create_user(str(number)), f"кофе {number}")
    standin.faults.add(Rule(fault="nan"))
    run_lane(EMBED_PROFILE)
    assert sorted(job.status for job in jobs()) == [Status.RETRYING, Status.SUCCEEDED]


def test_a_text_that_google_refuses_fails_alone(standin: StandIn) -> None:
    for number in range(3):
        complete(User.objects.create_user(str(number)), f"кофе {number}")
    standin.faults.add(Rule(fault="400", marker="кофе 1", calls=10))
    work()
    assert sorted(job.status for job in jobs()) == [Status.DEAD, Status.SUCCEEDED, Status.SUCCEEDED]
    assert DeadLetter.objects.get().error_class == "invalid_input"


def test_what_is_not_completed_or_gone_is_not_embedded(user: User, standin: StandIn) -> None:
    draft = TasteProfile.objects.create(user=user)
    enqueue(EMBED_PROFILE, subject=draft.pk)
    assert work() == ["not completed"]
    enqueue(EMBED_PROFILE, subject=uuid4())
    work()
    assert DeadLetter.objects.get().error_class == "not_found"
    assert texts(standin) == []


def test_the_call_is_made_outside_of_any_transaction(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = []

    def call(*given: Any) -> Any:
        inside.append(connection.in_atomic_block)
        return embed_texts(*given)

    monkeypatch.setattr("yellowbook.recommendations.embed.embed_texts", call)
    complete(user)
    assert work() == ["embedded"]
    assert inside == [False]


def test_a_redis_that_forgot_knows_of_calls_of_profiles_under_way(
    user: User, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    complete(user)
    meanwhile(standin, monkeypatch, lambda: told.append(history().unknown_for))
    work()
    assert told[0] > 60
