"""RabbitMQ, where it is the broker: there."""

from django.conf import settings
from django.utils.translation import gettext_noop

from jobs.alerts.rules import AlertRule, Finding, register_rule
from jobs.broker.base import rabbitmq_failure


def rabbitmq_away(threshold: float) -> Finding:
    """Tell whether RabbitMQ answers."""
    if reason := rabbitmq_failure():
        return Finding(True, 0, f"RabbitMQ does not answer ({reason}): jobs wait in PostgreSQL.")
    return Finding(False, 1, "RabbitMQ answers.")


RABBITMQ_AWAY = AlertRule(
    name="rabbitmq_away",
    title=gettext_noop("RabbitMQ is away"),
    check=rabbitmq_away,
    says=(
        gettext_noop("RabbitMQ answers."),
        gettext_noop("RabbitMQ does not answer (%(error)s): jobs wait in PostgreSQL."),
    ),
    next_step=gettext_noop("Start it, or see BROKER_URL. Nothing is lost: the work goes on once it is back."),
)

if settings.BROKER_URL:
    register_rule(RABBITMQ_AWAY)
