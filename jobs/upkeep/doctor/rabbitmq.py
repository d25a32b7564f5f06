"""RabbitMQ, where it is the broker: there."""

from django.conf import settings

from jobs.broker.base import rabbitmq_failure
from jobs.upkeep.examination import Check, Diagnosis, ok, problem, register_check


def _server() -> Diagnosis:
    if reason := rabbitmq_failure():
        return problem(f"can't be reached ({reason}): jobs wait in PostgreSQL", "Start it, or correct BROKER_URL.")
    return ok("answers")


if settings.BROKER_URL:
    register_check(Check("rabbitmq", _server))
