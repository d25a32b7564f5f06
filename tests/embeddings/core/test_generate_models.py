"""Jobs for different models in one batch: one call for each, and each job with its own end."""

from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from embeddings.feed import EmbeddingFeed
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.services import embed_all
from jobs import kinds
from jobs.actor import Actor
from jobs.enqueue import enqueue
from jobs.errors import (
    AuthError,
    BatchRejected,
    ConfigurationError,
    QuotaExhausted,
    RateLimited,
    ServerError,
)
from jobs.kinds import get_kind
from jobs.models import DeadLetter, JobExecution, Lane
from jobs.runs.attend import attend_all
from tests.jobs.conftest import REDIS_URL
from tests.jobs.throttle.clock import new_throttle
from yellowbook.directory.models import Business
from yellowbook.directory.services import update_business

from .conftest import Fakes, business, ends, has_fresh, job_of, sent, vector, work, work_all

pytestmark = pytest.mark.django_db
OPERATOR = Actor("op", "cli")


def fill(*made: Business, **extra: Any) -> None:
    for each in made:
        enqueue(GENERATE_EMBEDDING, subject=each.pk, metadata={"model": "new", **extra})


def embedded(*names: str) -> list[Business]:
    """Save businesses and let the serving model embed them."""
    made = [business(name) for name in names]
    work_all()
    return made


def failing(error: type[Exception]) -> Any:
    def fail(texts: list[str]) -> None:
        raise error("no")

    return fail


class TestOneJob:
    """A job embeds for the model that its metadata names."""

    def test_the_named_model_is_filled_in_beside_the_one_that_serves(self, models: Fakes) -> None:
        (shop,) = embedded("A")
        before = vector(shop, "old").pk
        fill(shop)
        work()
        assert ends(shop) == [("succeeded", "embedded")]
        assert (models.old.calls, models.new.calls) == ([[sent(shop)]], [[sent(shop)]])
        assert vector(shop, "old").pk == before
        assert vector(shop, "new").job_id == job_of(shop).id

    def test_what_is_there_already_costs_no_call(self, models: Fakes) -> None:
        shop, twin = embedded("A", "A")
        fill(shop)
        work()
        fill(shop, twin)
        work()
        assert ends(shop, twin) == [("succeeded", "unchanged"), ("succeeded", "cached")]
        assert len(models.new.calls) == 1

    def test_force_is_about_the_named_model(self, models: Fakes) -> None:
        (shop,) = embedded("A")
        fill(shop)
        work()
        fill(shop, force=True)
        work()
        assert ends(shop) == [("succeeded", "embedded")]
        assert (len(models.old.calls), len(models.new.calls)) == (1, 2)

    def test_a_save_that_joins_it_has_its_text_served(self, models: Fakes) -> None:
        (shop,) = embedded("A")
        fill(shop)
        update_business(shop.pk, {"name": "B"})
        assert JobExecution.objects.filter(status="queued").count() == 1
        work()
        assert has_fresh(shop, "old")
        assert has_fresh(shop, "new")

    def test_it_succeeds_only_when_both_of_its_vectors_are_there(self, models: Fakes) -> None:
        shop = business("A")
        JobExecution.objects.all().delete()
        fill(shop)
        models.old.meanwhile = failing(ServerError)
        work()
        assert ends(shop) == [("retrying", "server")]
        assert has_fresh(shop, "new"), "what was paid for is kept"
        models.old.meanwhile = lambda texts: None
        JobExecution.objects.update(next_attempt_at="2000-01-01T00:00:00Z")
        work()
        assert ends(shop) == [("succeeded", "embedded")]
        assert len(models.new.calls) == 1

    def test_a_model_that_the_provider_can_not_make_fails_it_alone(self, models: Fakes) -> None:
        shop, other = embedded("A", "B")
        enqueue(GENERATE_EMBEDDING, subject=shop.pk, metadata={"model": "nonsense"})
        update_business(other.pk, {"name": "C"})
        work()
        assert ends(shop, other) == [("dead", "invalid_input"), ("succeeded", "embedded")]
        assert "nonsense can't be used" in DeadLetter.objects.get().failure_reason
        assert not Lane.objects.filter(paused_at__isnull=False).exists()


class TestMixedBatch:
    """Some jobs of a batch are for the serving model, some for another."""

    @pytest.fixture
    def shops(self, models: Fakes) -> list[Business]:
        """Five businesses: the last two have to be filled in, the first three are new."""
        old = embedded("D", "E")
        fill(*old)
        return [*(business(name) for name in "ABC"), *old]

    def test_it_is_one_call_for_each_model(self, models: Fakes, shops: list[Business]) -> None:
        models.old.calls.clear()
        work()
        assert [len(call) for call in models.old.calls] == [3]
        assert [len(call) for call in models.new.calls] == [2]
        assert ends(*shops) == [("succeeded", "embedded")] * 5
        assert not any(vector(shop, "new") for shop in shops[:3])

    @pytest.mark.parametrize("error", [ServerError, RateLimited, RuntimeError, ConfigurationError, AuthError])
    def test_a_failing_call_for_another_model_fails_no_job_of_the_serving_one(
        self, models: Fakes, shops: list[Business], error: type[Exception]
    ) -> None:
        models.new.meanwhile = failing(error)
        work()
        assert ends(*shops[:3]) == [("succeeded", "embedded")] * 3
        assert all(has_fresh(shop, "old") for shop in shops)
        assert not {"succeeded", "queued"} & {status for status, _ in ends(*shops[3:])}

    @pytest.mark.parametrize("error", [ServerError, RateLimited, RuntimeError, ConfigurationError, AuthError])
    def test_a_failing_call_for_the_serving_model_fails_no_job_of_another(
        self, models: Fakes, shops: list[Business], error: type[Exception]
    ) -> None:
        models.old.meanwhile = failing(error)
        work()
        assert ends(*shops[3:]) == [("succeeded", "embedded")] * 2
        assert not {"succeeded", "queued"} & {status for status, _ in ends(*shops[:3])}

    def test_a_rejected_call_is_halved_and_the_other_is_not(self, models: Fakes, shops: list[Business]) -> None:
        def reject(texts: list[str]) -> None:
            if any(text.startswith("E") for text in texts):
                raise BatchRejected("invalid argument", status_code=400)

        models.new.meanwhile = reject
        work()
        assert ends(*shops[:3]) == [("succeeded", "embedded")] * 3
        assert ends(*shops[3:]) == [("queued", "")] * 2
        work_all()
        assert ends(*shops[3:]) == [("succeeded", "embedded"), ("dead", "invalid_input")]
        assert len(models.old.calls) == 2

    def test_each_text_of_each_model_costs_a_unit(
        self, models: Fakes, shops: list[Business], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Three new businesses, and one to fill in whose text changed: five texts for four jobs."""
        update_business(shops[3].pk, {"name": "Changed"})
        JobExecution.objects.filter(subject=str(shops[4].pk)).delete()
        with Redis.from_url(REDIS_URL) as client:
            throttle = new_throttle(client, units_per_minute=100)
            metered = replace(get_kind(GENERATE_EMBEDDING), throttle=lambda: throttle)
            monkeypatch.setitem(kinds._kinds, GENERATE_EMBEDDING, metered)
            work()
            assert throttle.look().units_this_minute == 4, "a unit for each job, and no more"
            assert job_of(shops[3]).status == "queued"
            assert has_fresh(shops[3], "old"), "what somebody waits for comes first"
            work()
            assert throttle.look().units_this_minute == 5
            assert ends(*shops[:4]) == [("succeeded", "embedded")] * 4


class TestUnusableModel:
    """A model that the provider refuses to serve is no reason to stop embedding saves."""

    @pytest.mark.parametrize("error", [ConfigurationError, QuotaExhausted])
    def test_its_run_is_stopped_and_the_lane_goes_on(self, models: Fakes, error: type[Exception]) -> None:
        shops = embedded(*(str(n) for n in range(150)))
        run = embed_all({"model": "new"}, actor=OPERATOR)
        models.new.meanwhile = failing(error)
        work()
        attend_all()
        run.refresh_from_db()
        assert run.state == "stopped"
        assert DeadLetter.objects.count() == 100
        assert not JobExecution.objects.filter(status="queued").exists()
        assert not Lane.objects.filter(paused_at__isnull=False).exists()
        update_business(shops[0].pk, {"name": "changed"})
        work()
        assert ends(shops[0]) == [("succeeded", "embedded")]

    def test_other_runs_are_left_alone(self, models: Fakes) -> None:
        shops = embedded("A", "B")
        run = embed_all({"force": True}, actor=OPERATOR)
        JobExecution.objects.filter(run=run, subject=str(shops[0].pk)).update(metadata={"model": "new"})
        models.new.meanwhile = failing(ConfigurationError)
        work_all()
        run.refresh_from_db()
        assert run.state == "completed"


class TestFeed:
    """A run over all businesses for one model."""

    @pytest.fixture
    def shops(self, models: Fakes) -> list[Business]:
        return embedded(*"ABCD")

    def test_it_counts_what_is_not_fresh_by_that_model(self, models: Fakes, shops: list[Business]) -> None:
        feed = EmbeddingFeed()
        assert (feed.count({}), feed.count({"model": "new"}), feed.count({"model": "old"})) == (0, 4, 0)
        fill(shops[0])
        work()
        assert feed.count({"model": "new"}) == 3
        update_business(shops[0].pk, {"name": "changed"})
        assert feed.count({"model": "new"}) == 4
        assert feed.count({"model": "new", "stale_only": True}) == 4

    def test_its_jobs_name_the_model(self, models: Fakes, shops: list[Business]) -> None:
        run = embed_all({"model": "new"}, actor=OPERATOR)
        jobs = JobExecution.objects.filter(run=run)
        assert {(job.metadata["model"], job.operation) for job in jobs} == {("new", "bulk")}
        assert run.options["model"] == "new"
        work_all()
        run.refresh_from_db()
        assert run.state == "completed"
        assert all(has_fresh(shop, model) for shop in shops for model in ("old", "new"))

    def test_a_run_without_a_model_names_none(self, models: Fakes, shops: list[Business]) -> None:
        run = embed_all({"force": True}, actor=OPERATOR)
        assert all("model" not in job.metadata for job in JobExecution.objects.filter(run=run))

    def test_an_estimate_is_about_that_model(self, models: Fakes, shops: list[Business]) -> None:
        feed = EmbeddingFeed()
        assert (feed.estimate({}).texts, feed.estimate({"model": "new"}).texts) == (0, 4)
        fill(shops[0])
        work()
        twin = business("A")
        JobExecution.objects.filter(subject=str(twin.pk)).delete()
        found = feed.estimate({"model": "new"})
        assert (found.total, found.texts, found.free) == (4, 3, {"unchanged": 1, "cached": 1})
