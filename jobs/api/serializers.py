"""Jobs as the API tells them."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api.fields import MomentField, TextField
from jobs.kinds import subject_names
from jobs.models import Attempt, JobExecution, WorkerProcess
from jobs.payload import subject_name
from jobs.selectors import progress_of, steps_of
from jobs.states import WAITING, Operation, Priority, Source, Status


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """A failed try."""

    class Meta:
        model = Attempt
        fields = ["number", "started_at", "finished_at", "error_class", "error", "status_code"]


class StepSerializer(serializers.Serializer[dict[str, Any]]):
    """How far an attempt had come at a moment: 10 claimed, 30 text read, 50 sent, 80 vector received, 100 stored."""

    step = serializers.CharField()
    progress = serializers.IntegerField()
    at = serializers.DateTimeField()


class MetadataSerializer(serializers.Serializer[dict[str, Any]]):
    """Who asked for the job, when, through which door, and what its subject was called then."""

    triggered_by = serializers.CharField(default="")
    triggered_at = serializers.DateTimeField(default=None, allow_null=True)
    source = serializers.ChoiceField(choices=Source.choices, default="")  # type: ignore[assignment]
    original_name = serializers.CharField(required=False)
    cancelled_by = serializers.CharField(required=False)


class JobSerializer(serializers.ModelSerializer[JobExecution]):
    """A job. Its subject also stands under the name that its kind gives it, e.g. `business_id`."""

    job_id = serializers.UUIDField(source="id")
    operation = serializers.ChoiceField(choices=Operation.choices)
    priority = serializers.ChoiceField(
        choices=[(label, label) for label in Priority.labels], source="get_priority_display"
    )
    status = serializers.ChoiceField(choices=Status.choices)
    progress = serializers.SerializerMethodField()
    metadata = MetadataSerializer()
    steps = serializers.SerializerMethodField()
    next_attempt_at = serializers.SerializerMethodField()
    run_id = serializers.UUIDField(allow_null=True)

    class Meta:
        model = JobExecution
        fields = [
            "job_id",
            "kind",
            "subject",
            "operation",
            "priority",
            "status",
            "result",
            "progress",
            "attempt",
            "max_retries",
            "deliveries",
            "metadata",
            "steps",
            "error_class",
            "error",
            "worker",
            "run_id",
            "created_at",
            "started_at",
            "finished_at",
            "next_attempt_at",
        ]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add one field for each name that a kind gives its subject."""
        fields = super().get_fields()
        for name, is_id in sorted(subject_names().items()):
            fields[name] = SubjectIdField(name) if is_id else SubjectField(name)
        return fields

    def get_progress(self, job: JobExecution) -> int:
        """Return how far the job has come, 0 to 100."""
        return progress_of(job)

    @extend_schema_field(StepSerializer(many=True))
    def get_steps(self, job: JobExecution) -> list[dict[str, Any]]:
        """Return the steps of the attempt under way or of the last one."""
        return steps_of(job)

    def get_next_attempt_at(self, job: JobExecution) -> datetime | None:
        """Return when a waiting job is due; None for every other job."""
        return job.next_attempt_at if job.status in WAITING else None


class SubjectField(serializers.CharField):
    """The subject of a job under the name that its kind gives it; null for other kinds."""

    def __init__(self, name: str) -> None:
        self.name_outside = name
        super().__init__(source="*", read_only=True, allow_null=True)

    def to_representation(self, job: Any) -> Any:
        """Return the subject when the job's kind calls it by this name."""
        return job.subject if subject_name(job.kind) == self.name_outside else None


class SubjectIdField(SubjectField, serializers.UUIDField):
    """The same where it is a UUID."""


class JobDetailSerializer(JobSerializer):
    """A job with its failed attempts."""

    attempts = AttemptSerializer(many=True)

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "attempts"]


class WorkInHandSerializer(serializers.Serializer[dict[str, Any]]):
    """A batch that a worker holds."""

    kind = serializers.CharField()
    jobs = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    progress = serializers.IntegerField()


class WorkerSerializer(serializers.ModelSerializer[WorkerProcess]):
    """A worker process."""

    is_alive = serializers.BooleanField(read_only=True, help_text="Whether it has beaten lately.")
    is_stuck = serializers.BooleanField(
        read_only=True, help_text="Whether it has had a batch in hand for longer than any job may take."
    )
    current = WorkInHandSerializer(many=True, read_only=True)

    class Meta:
        model = WorkerProcess
        fields = [
            "name",
            "host",
            "pid",
            "version",
            "state",
            "threads",
            "queues",
            "started_at",
            "last_heartbeat_at",
            "processed",
            "failed",
            "memory_bytes",
            "memory_limit_bytes",
            "memory_share",
            "memory_high",
            "busy_since",
            "busy_with",
            "is_alive",
            "is_stuck",
            "current",
        ]


class LaneSerializer(serializers.Serializer[dict[str, Any]]):
    """A lane: how much waits and runs, and whether it is paused."""

    kind = serializers.CharField()
    concurrency = serializers.IntegerField()
    batch_size = serializers.IntegerField()
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    oldest_waiting_seconds = serializers.FloatField(allow_null=True)
    paused = serializers.BooleanField()
    paused_at = serializers.DateTimeField(allow_null=True)
    paused_until = serializers.DateTimeField(allow_null=True)
    paused_by = serializers.CharField()
    pause_reason = serializers.CharField()
    circuit = serializers.CharField(help_text="The failure class that paused it; empty when a person did.")
    probe_at = serializers.DateTimeField(allow_null=True, help_text="When it tries again by itself.")
    closed_until = serializers.DateTimeField(allow_null=True, help_text="The provider asked everybody to wait.")


class PauseSerializer(serializers.Serializer[dict[str, Any]]):
    """Why a lane is paused and until when."""

    reason = TextField(required=False, default="", max_length=200, allow_blank=True)
    until = MomentField(required=False, default=None, allow_null=True)
