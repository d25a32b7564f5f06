"""Changing the model that serves, with real sessions at work meanwhile: no text is left behind."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from redis import Redis

from embeddings import switch as switching
from embeddings.current import current_model, hold_current_model
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.models import Embedding, ServingModel
from embeddings.providers import default_model, provider_class, provider_names
from embeddings.quota import embedding_throttle
from embeddings.selectors import coverage
from embeddings.services import embed_all
from embeddings.switch import CantSwitch, coverage_of, drop, rollback, switch
from jobs.actor import Actor
from jobs.enqueue import enqueue
from jobs.execute import run_lane
from jobs.models import JobExecution, Lane
from jobs.throttle import Throttle
from tests.concurrency import Session, at_once, until_blocked
from tests.jobs.conftest import REDIS_URL
from tests.jobs.throttle.clock import new_throttle
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business

from .conftest import Fakes, business, ends, has_fresh, job_of, vector, work, work_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("models")]

OPERATOR = Actor("operator", "cli")
OpenSession = Callable[[], Session]


def to_new() -> None:
    switch("new", expected="old", actor=OPERATOR)


def filled(*names: str) -> list[Business]:
    """Save businesses that have vectors by both models."""
    made = [business(name) for name in names]
    work_all()
    embed_all({"model": "new"}, actor=OPERATOR)
    work_all()
    assert coverage_of("new").percentage == 100
    return made


class TestServing:
    """Which model serves is read from the row, else from the settings."""

    def test_without_a_switch_it_is_that_of_the_settings(self, settings) -> None:
        assert current_model() == "old"
        settings.EMBEDDING_MODEL = "other"
        assert current_model() == "other"

    def test_after_a_switch_it_is_that_of_the_row_whatever_the_settings_say(self, settings) -> None:
        to_new()
        settings.EMBEDDING_MODEL = "other"
        assert (current_model(), coverage()["model"]) == ("new", "new")

    def test_a_provider_of_another_vendor_knows_nothing_of_it(self, settings) -> None:
        """A model's name means nothing to it: it would refuse to work."""
        to_new()
        settings.EMBEDDING_PROVIDER = "gemini"
        assert current_model() == "old"
        switch("gemini-embedding-2", expected="old", actor=OPERATOR)
        settings.EMBEDDING_PROVIDER = "google-generativeai"
        assert current_model() == "gemini-embedding-2"
        settings.EMBEDDING_PROVIDER = "local"
        assert current_model() == "new"

    def test_it_takes_one_query(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(1):
            current_model()

    @pytest.mark.parametrize("name", sorted(provider_names()))
    def test_the_default_that_is_known_without_the_sdk_is_the_providers_own(self, name: str) -> None:
        pytest.importorskip("google.generativeai" if name == "google-generativeai" else "embeddings")
        assert default_model(name) == provider_class(name).default_model

    def test_a_row_without_a_model_or_with_the_same_one_twice_is_refused(self) -> None:
        for model, previous in [("", "old"), ("new", "new")]:
            with pytest.raises(IntegrityError, match="embeddings_serving_model"), transaction.atomic():
                ServingModel.objects.create(vendor="x", model=model, previous=previous, switched_by="x")


class TestSwitching:
    """One step, by whoever is the first, from what they saw."""

    def test_it_notes_who_did_it_and_what_served_before(self) -> None:
        switched = switch("new", expected="old", actor=OPERATOR)
        row = ServingModel.objects.get()
        assert (switched.model, switched.previous) == ("new", "old")
        assert (row.model, row.previous, row.switched_by) == ("new", "old", "operator")

    def test_a_model_that_serves_already_or_another_than_expected_is_told(self) -> None:
        with pytest.raises(CantSwitch, match="old serves already"):
            switch("old", expected="old", actor=OPERATOR)
        with pytest.raises(CantSwitch, match="old serves by now, not third any more"):
            switch("new", expected="third", actor=OPERATOR)
        assert not ServingModel.objects.exists()

    def test_a_switch_that_is_refused_begins_no_run(self) -> None:
        business()
        with pytest.raises(CantSwitch):
            switch("new", expected="third", actor=OPERATOR)
        assert not JobExecution.objects.exclude(run=None).exists()

    def test_of_two_at_once_one_takes_place(self) -> None:
        results = at_once(to_new, partial(switch, "third", expected="old", actor=OPERATOR))
        assert sorted(isinstance(each, CantSwitch) for each in results) == [False, True]
        assert ServingModel.objects.get().previous == "old"

    def test_what_changed_meanwhile_is_made_by_a_run_that_begins_with_it(self) -> None:
        shops = filled(*"ABC")
        update_business(shops[0].pk, {"name": "changed"})
        work()
        assert not has_fresh(shops[0], "new")
        switched = switch("new", expected="old", actor=OPERATOR)
        work_all()
        assert all(has_fresh(shop, "new") for shop in shops)
        assert switched.run is not None
        assert JobExecution.objects.filter(run=switched.run).count() == 1

    def test_a_run_in_its_way_does_not_keep_it_from_switching(self) -> None:
        business()
        other = embed_all({}, actor=OPERATOR)
        switched = switch("new", expected="old", actor=OPERATOR)
        assert (switched.run, switched.in_the_way) == (None, other)
        assert current_model() == "new"

    def test_plain_saves_use_the_new_model_at_once(self) -> None:
        to_new()
        shop = business("A")
        work_all()
        assert has_fresh(shop, "new")
        assert vector(shop, "old") is None

    def test_the_budget_of_the_new_model_learns_from_the_rows_what_was_sent_to_it(self, monkeypatch) -> None:
        """While it was filled in, another model's budget paid."""
        with Redis.from_url(REDIS_URL) as client:
            throttle = new_throttle(client, units_per_minute=10)
            throttle.reserve(4)
            assert throttle.look().units_this_minute == 4
            monkeypatch.setattr(switching, "embedding_throttle", lambda model: throttle)
            to_new()
            assert throttle.look() is None

    def test_each_model_has_a_budget_of_its_own(self) -> None:
        old: Throttle = embedding_throttle()
        to_new()
        assert (old.name, embedding_throttle().name) == ("local:old", "local:new")
        assert embedding_throttle("old") is old


@pytest.fixture
def without_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a switch begin no run, which would make up for what a job under way left behind."""
    monkeypatch.setattr(switching, "_catch_up", lambda model, actor: (None, None))


@pytest.mark.usefixtures("without_run")
class TestInFlight:
    """What is under way while the switch commits ends with a vector by the model that serves then."""

    def test_a_job_whose_call_is_under_way_goes_back_and_embeds_for_the_new_model(
        self, models: Fakes, session: Callable[[], Session]
    ) -> None:
        shop = business("A")
        operator = session()
        models.old.meanwhile = lambda texts: operator.do(to_new)
        work()
        job = job_of(shop)
        assert (job.status, job.attempt, job.deliveries, job.error) == ("queued", 1, 0, "")
        work_all()
        assert has_fresh(shop, "new")
        job.refresh_from_db()
        assert job.status == "succeeded"
        assert [len(call) for call in models.new.calls] == [1]

    def test_so_does_one_whose_vector_was_there_already(self, models: Fakes, session: Callable[[], Session]) -> None:
        shop, other = business("A"), business("B")
        work()
        JobExecution.objects.all().delete()
        enqueue(GENERATE_EMBEDDING, subject=shop.pk)
        update_business(other.pk, {"name": "C"})
        operator = session()
        models.old.meanwhile = lambda texts: operator.do(to_new)
        work()
        assert ends(shop, other) == [("queued", "")] * 2
        work_all()
        assert has_fresh(shop, "new")
        assert has_fresh(other, "new")

    def test_one_that_was_made_for_the_new_model_is_done(self, models: Fakes, session: Callable[[], Session]) -> None:
        shop = business("A")
        work()
        run = embed_all({"model": "new"}, actor=OPERATOR)
        operator = session()
        models.new.meanwhile = lambda texts: operator.do(to_new)
        work()
        assert JobExecution.objects.get(run=run).status == "succeeded"
        assert has_fresh(shop, "new")

    def test_a_failure_stays_a_failure(self, models: Fakes, session: Callable[[], Session]) -> None:
        shop = business("A")
        operator = session()

        def fail(texts: list[str]) -> None:
            operator.do(to_new)
            raise RuntimeError("no")

        models.old.meanwhile = fail
        work()
        assert ends(shop) == [("retrying", "server")]

    def test_the_switch_waits_for_a_transaction_that_stores(self, session: Callable[[], Session]) -> None:
        worker, operator = session(), session()
        worker.begin()
        assert worker.do(hold_current_model) == "old"
        switched = operator.start(to_new)
        until_blocked(switched)
        worker.commit()
        switched.result(20)
        assert current_model() == "new"

    def test_a_transaction_that_stores_waits_for_the_switch_and_sees_it(
        self, models: Fakes, session: Callable[[], Session]
    ) -> None:
        shop = business("A")
        worker, operator = session(), session()

        def begin(texts: list[str]) -> None:
            operator.begin()
            operator.do(to_new)

        models.old.meanwhile = begin
        turn = worker.start(run_lane, GENERATE_EMBEDDING)
        until_blocked(turn)
        operator.commit()
        turn.result(20)
        assert job_of(shop).status == "queued"
        work_all()
        assert has_fresh(shop, "new")

    def test_two_transactions_that_store_do_not_wait_for_each_other(self, session: Callable[[], Session]) -> None:
        one, other = session(), session()
        one.begin()
        one.do(hold_current_model)
        other.begin()
        other.do(hold_current_model)


class TestAtOnce:
    """Whatever happens at the same moment, in the end every text has its vector."""

    @pytest.mark.parametrize("turn", range(4))
    def test_saves_workers_and_the_switch_at_once_leave_no_text_behind(self, turn: int) -> None:
        shops = filled(*"ABCD")

        def save() -> None:
            for number in range(6):
                update_business(shops[number % 4].pk, {"name": f"{turn} {number}"})

        def work_on() -> None:
            for _ in range(8):
                run_lane(GENERATE_EMBEDDING)

        results = at_once(save, work_on, work_on, to_new)
        assert [each for each in results if isinstance(each, Exception)] == []
        work_all()
        assert current_model() == "new"
        assert coverage_of("new").missing == 0


class TestRollback:
    """Back to the model before."""

    def test_it_serves_again_and_catches_up(self) -> None:
        shops = filled(*"AB")
        to_new()
        work_all()
        update_business(shops[0].pk, {"name": "changed"})
        work_all()
        assert not has_fresh(shops[0], "old")
        switched = rollback(actor=OPERATOR)
        assert (switched.model, switched.previous, current_model()) == ("old", "new", "old")
        work_all()
        assert coverage_of("old").missing == 0

    def test_a_second_one_goes_forward_again(self) -> None:
        filled("A")
        to_new()
        rollback(actor=OPERATOR)
        assert rollback(actor=OPERATOR).model == "new"

    def test_without_a_switch_there_is_nothing_to_go_back_to(self) -> None:
        with pytest.raises(CantSwitch, match="nothing was ever switched, and old serves"):
            rollback(actor=OPERATOR)

    def test_dropped_vectors_can_not_serve_again(self) -> None:
        filled("A")
        to_new()
        work_all()
        list(drop("old"))
        with pytest.raises(CantSwitch, match="were dropped"):
            rollback(actor=OPERATOR)
        assert current_model() == "new"

    def test_a_model_whose_vectors_are_gone_otherwise_is_refused_too(self) -> None:
        filled("A")
        to_new()
        Embedding.objects.filter(model="old").delete()
        with pytest.raises(CantSwitch, match="no vectors any more"):
            rollback(actor=OPERATOR)


class TestDrop:
    """Deleting a model's vectors."""

    def test_it_deletes_that_models_vectors_in_batches_and_no_others(self, monkeypatch) -> None:
        monkeypatch.setattr(switching, "DROP_SIZE", 2)
        shops = filled(*"ABCDE")
        to_new()
        work_all()
        assert list(drop("old")) == [2, 2, 1]
        assert not Embedding.objects.filter(model="old").exists()
        assert all(has_fresh(shop, "new") for shop in shops)

    def test_the_serving_model_is_refused(self) -> None:
        filled("A")
        with pytest.raises(CantSwitch, match="old serves"):
            next(drop("old"))
        assert Embedding.objects.count() == 2

    def test_a_model_that_is_filled_in_is_refused(self) -> None:
        filled(*"AB")
        Business.objects.filter(name="A").update(name="changed")
        embed_all({"model": "new"}, actor=OPERATOR)
        with pytest.raises(CantSwitch, match="stop it first"):
            next(drop("new"))

    def test_it_ends_when_the_model_begins_to_serve_meanwhile(self, monkeypatch) -> None:
        monkeypatch.setattr(switching, "DROP_SIZE", 1)
        filled(*"ABC")
        dropping = drop("new")
        assert next(dropping) == 1
        to_new()
        with pytest.raises(CantSwitch, match="new serves"):
            next(dropping)
        assert Embedding.objects.filter(model="new").count() == 2

    def test_nobody_switches_to_it_in_the_middle_of_a_batch(self, session: Callable[[], Session]) -> None:
        filled("A")
        dropper, operator = session(), session()
        dropper.begin()
        assert dropper.do(lambda: list(drop("new"))) == [1]
        switched = operator.start(to_new)
        until_blocked(switched)
        dropper.commit()
        switched.result(20)

    def test_a_row_that_is_being_written_is_not_waited_for(self, session: Callable[[], Session]) -> None:
        filled(*"AB")
        writer = session()
        writer.begin()
        writer.do(lambda: Embedding.objects.select_for_update().get(model="new", business__name="A"))
        assert list(drop("new")) == [1]


def test_the_lock_is_no_other_one_of_the_system() -> None:
    from embeddings.current import SWITCH_LOCK
    from jobs.leadership import LOCK_KEY
    from yellowbook.directory.importer import TURN_LOCK

    assert len({SWITCH_LOCK, LOCK_KEY, TURN_LOCK}) == 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::bigint", [SWITCH_LOCK])


def test_a_switch_leaves_the_lane_open() -> None:
    filled("A")
    to_new()
    work_all()
    assert not Lane.objects.filter(paused_at__isnull=False).exists()
