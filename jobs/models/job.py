"""Jobs and their failed attempts."""

import uuid

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now, Upper

from jobs.models.run import Run
from jobs.states import WAITING, Operation, Priority, Status


class JobExecution(models.Model):
    """One unit of durable work on one subject."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    operation = models.CharField(max_length=10, choices=Operation)
    priority = models.PositiveSmallIntegerField(choices=Priority, db_default=Priority.NORMAL)
    status = models.CharField(max_length=10, choices=Status, db_default=Status.QUEUED)
    #: How a finished job ended: `embedded`, `unchanged`, `cached`, `superseded`, ... or why it was cancelled.
    result = models.CharField(max_length=64, db_default="", blank=True)
    #: Number of the attempt under way, or of the next one; 1-based.
    attempt = models.PositiveSmallIntegerField(db_default=1)
    max_retries = models.PositiveSmallIntegerField(db_default=3)
    #: Rate limits met so far; they have a budget of their own and use up no attempt.
    rate_limits = models.PositiveSmallIntegerField(db_default=0)
    #: How many jobs its next claim may hold, after a batch with it was rejected; 0: any number.
    split_size = models.PositiveSmallIntegerField(db_default=0)
    #: Claims since an attempt last came to an end: a job that is claimed but never ends takes its worker down.
    deliveries = models.PositiveSmallIntegerField(db_default=0)
    metadata = models.JSONField(db_default={}, blank=True)
    #: What the last attempt went through: [{"progress": 10, "at": "..."}], written once, with its outcome.
    steps = models.JSONField(db_default=[], blank=True)
    error_class = models.CharField(max_length=20, db_default="", blank=True)
    error = models.TextField(db_default="", blank=True)
    #: Found by `jobs_job_run`; an index of all rows, most of which belong to no run, would be one more to write.
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE, related_name="jobs", db_index=False)
    worker = models.CharField(max_length=100, db_default="", blank=True)
    #: The claim that holds the job while it runs; the fencing token of every outcome.
    lease_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    #: When the job is due; for a waiting job that never failed, when it was made.
    next_attempt_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "job"
        permissions = [("cancel_job", "Can cancel waiting jobs"), ("retry_job", "Can retry dead jobs")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(status__in=WAITING), name="jobs_job_one_waiting_per_subject"
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="jobs_job_status_known"),
            models.CheckConstraint(
                condition=Q(status=Status.RUNNING, lease_id__isnull=False)
                | (~Q(status=Status.RUNNING) & Q(lease_id__isnull=True)),
                name="jobs_job_leased_while_running",
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind", "priority", "next_attempt_at"], condition=Q(status__in=WAITING), name="jobs_job_due"
            ),
            models.Index(fields=["lease_id"], condition=Q(status=Status.RUNNING), name="jobs_job_leased"),
            models.Index(fields=["status", "-created_at"], name="jobs_job_status_created"),
            models.Index(fields=["-created_at", "id"], name="jobs_job_created"),
            models.Index(fields=["subject", "-created_at"], name="jobs_job_subject"),
            models.Index(fields=["-finished_at"], condition=Q(finished_at__isnull=False), name="jobs_job_finished"),
            models.Index(
                fields=["error_class", "-created_at"], condition=~Q(error_class=""), name="jobs_job_error_class"
            ),
            # Finds the rare combinations of the list's filters. Few values and no time in it: equal entries are kept
            # together, so that a million jobs take some MB, which stay in memory, and claims hardly notice.
            models.Index(fields=["operation", "priority", "kind", "status"], name="jobs_job_filters"),
            # As `metadata__original_name__istartswith` asks.
            models.Index(
                OpClass(Upper(Cast(KT("metadata__original_name"), models.TextField())), "text_pattern_ops"),
                name="jobs_job_name",
            ),
            models.Index(fields=["run", "status"], condition=Q(run__isnull=False), name="jobs_job_run"),
            models.Index(fields=["run", "subject"], condition=Q(run__isnull=False), name="jobs_job_run_subject"),
            models.Index(
                fields=["run", "-started_at"],
                condition=Q(run__isnull=False) & ~Q(error_class=""),
                name="jobs_job_run_errors",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Attempt(models.Model):
    """A failed try of a job."""

    job = models.ForeignKey(JobExecution, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(db_default=TransactionNow())
    error_class = models.CharField(max_length=20)
    error = models.TextField()
    status_code = models.PositiveSmallIntegerField(null=True)
    worker = models.CharField(max_length=100)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.error_class}"
