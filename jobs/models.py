"""The rows behind durable jobs. PostgreSQL is the truth: every count on a screen comes from here."""

import uuid

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from jobs.states import WAITING, Operation, Priority, Status


class Run(models.Model):
    """A bulk operation over many subjects; its progress is counted from its jobs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    requested_by = models.CharField(max_length=150)
    source = models.CharField(max_length=16)
    total = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="jobs_run_created")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


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
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE, related_name="jobs")
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
            models.Index(fields=["run", "status"], condition=Q(run__isnull=False), name="jobs_job_run"),
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


class DeadLetter(models.Model):
    """What is left of a job that will not be tried again by itself; kept until a person resolves or retries it."""

    class Resolution(models.TextChoices):
        """How a person settled it."""

        RETRIED = "retried", "retried"
        RESOLVED = "resolved", "resolved"

    job = models.ForeignKey(JobExecution, on_delete=models.CASCADE, related_name="dead_letters")
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    payload = models.JSONField()
    error_class = models.CharField(max_length=20)
    failure_reason = models.TextField()
    #: {"message", "stack", "status_code"}
    error_details = models.JSONField()
    attempts = models.PositiveSmallIntegerField()
    enqueued_at = models.DateTimeField()
    last_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=TransactionNow())
    resolution = models.CharField(max_length=10, choices=Resolution, db_default="", blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, db_default="", blank=True)
    note = models.TextField(db_default="", blank=True)
    #: Same for dead letters of one cause: kind, class and the message without its numbers and ids.
    fingerprint = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job"], condition=Q(resolved_at__isnull=True), name="jobs_deadletter_one_open_per_job"
            )
        ]
        indexes = [
            models.Index(
                fields=["error_class", "-created_at"],
                condition=Q(resolved_at__isnull=True),
                name="jobs_deadletter_open",
            ),
            models.Index(fields=["fingerprint"], condition=Q(resolved_at__isnull=True), name="jobs_deadletter_cause"),
            models.Index(fields=["-created_at", "id"], name="jobs_deadletter_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.error_class}"


class Lease(models.Model):
    """A worker's claim on a batch of due jobs of one lane, for a limited time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    worker = models.CharField(max_length=100)
    size = models.PositiveSmallIntegerField()
    #: How far the whole batch has come, 0 to 100.
    progress = models.PositiveSmallIntegerField(db_default=10)
    steps = models.JSONField(db_default=[])
    claimed_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["kind"], name="jobs_lease_kind"),
            models.Index(fields=["expires_at"], name="jobs_lease_expires"),
            models.Index(fields=["worker"], name="jobs_lease_worker"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} x {self.size} on {self.worker}"


class Lane(models.Model):
    """The steering of all jobs of one kind: while it is paused, nothing of it is claimed."""

    kind = models.CharField(max_length=64, primary_key=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=150, db_default="", blank=True)
    pause_reason = models.CharField(max_length=200, db_default="", blank=True)
    #: The failure class that paused it; empty when a person did.
    circuit = models.CharField(max_length=20, db_default="", blank=True)
    #: When a paused lane tries again with a probe.
    probe_at = models.DateTimeField(null=True, blank=True)
    #: Nothing is claimed before: the provider asked everybody to wait.
    closed_until = models.DateTimeField(null=True, blank=True)
    #: The scheduler sends no wake-up before: there is no budget until then.
    wake_at = models.DateTimeField(null=True, blank=True)
    #: Single jobs rejected one after another with no success between: a sign that it is not the jobs.
    rejections = models.PositiveIntegerField(db_default=0)

    def __str__(self) -> str:
        return self.kind


class WorkerProcess(models.Model):
    """One process of `manage.py rundramatiq`, alive or gone."""

    class State(models.TextChoices):
        """What the process said of itself last, or `lost` when it stopped saying anything."""

        RUNNING = "running", "running"
        DRAINING = "draining", "draining"
        STOPPED = "stopped", "stopped"
        LOST = "lost", "lost"

    name = models.CharField(max_length=100, primary_key=True)
    host = models.CharField(max_length=80)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=40)
    threads = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State)
    started_at = models.DateTimeField(db_default=Now())
    last_heartbeat_at = models.DateTimeField(db_default=Now())
    memory_bytes = models.PositiveBigIntegerField(default=0)
    processed = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "worker"
        indexes = [models.Index(fields=["state", "last_heartbeat_at"], name="jobs_worker_state")]

    def __str__(self) -> str:
        return self.name
