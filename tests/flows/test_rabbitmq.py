"""RabbitMQ in Redis's place: it carries wake-ups, and PostgreSQL is the truth as ever."""

import pytest

from tests.flows.house import House, Houses
from tests.flows.system import System
from tests.rabbitmq import needs_rabbitmq, running_rabbitmq

pytestmark = [pytest.mark.flow, needs_rabbitmq]


def degraded(system: System) -> list[str]:
    """Return what the web server says is away."""
    found: list[str] = system.api.http.get("/health/ready").json()["degraded"]
    return found


def test_a_business_is_embedded_through_rabbitmq_which_is_stopped_and_whose_worker_is_killed(houses: Houses) -> None:
    with running_rabbitmq() as rabbitmq:
        settings = {"EMBEDDING_PROVIDER": "local", "BROKER_URL": rabbitmq.url}
        with House(houses.template, settings) as house, System(house) as system:
            (worker,) = system.workers
            system.api.create()
            system.await_success(1)
            assert degraded(system) == []

            rabbitmq.kill()
            saved = system.api.create()
            assert saved["embedding_job"]["status"] == "queued"
            assert degraded(system) == ["rabbitmq"]
            rabbitmq.start()
            system.await_success(2)

            system.kill(worker)
            system.api.create()
            assert system.jobs() == {"succeeded": 2, "queued": 1}
            other = system.start_worker()
            system.await_success(3)

            assert system.without_fresh_vector() == 0
            assert worker.log.read_text(encoding="utf-8").count("rabbitmq_away") == 1
            assert "Traceback" not in worker.log.read_text(encoding="utf-8") + other.log.read_text(encoding="utf-8")
