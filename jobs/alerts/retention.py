"""What happened to alerts is kept as long as finished jobs are."""

from django.conf import settings

from jobs.alerts.history import prune
from jobs.upkeep.pruners import Pruner, register

register(Pruner("alert_events", lambda: settings.RETENTION_JOBS_DAYS, prune))
