"""Dead letters."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.job import JobExecution


class DeadLetter(models.Model):
    """What is left of a job that will not be tried again by itself; kept until a person resolves or retries it."""

    class Resolution(models.TextChoices):
        """How a person settled it."""

        RETRIED = "retried", _("retried")
        RESOLVED = "resolved", _("resolved")

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
        permissions = [("resolve_deadletter", "Can resolve dead letters")]
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
