"""Worker processes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class WorkerProcess(models.Model):
    """One process of `manage.py rundramatiq`, alive or gone."""

    class State(models.TextChoices):
        """What the process said of itself last, or `lost` when it stopped saying anything."""

        STARTING = "starting", _("starting")
        RUNNING = "running", _("running")
        DRAINING = "draining", _("draining")
        STOPPED = "stopped", _("stopped")
        LOST = "lost", _("lost")

    name = models.CharField(max_length=100, primary_key=True)
    host = models.CharField(max_length=80)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=40)
    threads = models.PositiveSmallIntegerField()
    #: The lanes that it serves; empty: all.
    queues = ArrayField(models.CharField(max_length=64), default=list, db_default=[], blank=True)
    state = models.CharField(max_length=10, choices=State)
    started_at = models.DateTimeField(db_default=Now())
    last_heartbeat_at = models.DateTimeField(db_default=Now())
    #: Resident memory, and the limit with the share of it that is used; see `jobs.process.memory`.
    memory_bytes = models.PositiveBigIntegerField(default=0)
    memory_limit_bytes = models.PositiveBigIntegerField(default=0)
    memory_share = models.FloatField(default=0.0)
    #: Whether it claims nothing because it uses too much memory.
    memory_high = models.BooleanField(db_default=False)
    #: Since when, and with what, it has been at work on the batch that it has had in hand for the longest.
    busy_since = models.DateTimeField(null=True, blank=True)
    busy_with = models.CharField(max_length=100, db_default="", blank=True)
    processed = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "worker"
        indexes = [models.Index(fields=["state", "last_heartbeat_at"], name="jobs_worker_state")]

    def __str__(self) -> str:
        return self.name
