"""The rules about jobs and what they run on, one file per theme.

Deliveries of alerts count nowhere: an alert that can't be sent must not raise others.
"""

from jobs.alerts.alert_rules import lanes, queue, rabbitmq, redis, storage, workers

__all__ = ["lanes", "queue", "rabbitmq", "redis", "storage", "workers"]
