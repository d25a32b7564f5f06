"""`/api/admin/dlq`: dead letters over HTTP."""

import json
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import generics, serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import deadletters
from jobs.api.bulk import BulkActionDetailSerializer, told_in_full, url_of
from jobs.api.fields import FlagField, TextField, TextUUIDField, WholeNumberField
from jobs.api.filters import FlagFilter, UUIDFilter
from jobs.bulk.actions import Asked
from jobs.bulk.letters import API, RETRY_LETTERS
from jobs.bulk.start import FASTEST, start
from jobs.errors import ErrorClass
from jobs.models import DeadLetter
from jobs.states import Source

#: The most job ids that one retry may name.
MAX_IDS = 10_000
_CLASSES = [(each.value, each.value) for each in ErrorClass]


class DeadLetterSerializer(serializers.ModelSerializer[DeadLetter]):
    """A dead letter."""

    job_id = serializers.UUIDField()
    payload = serializers.JSONField(help_text="What the job was asked to do.")
    error_details = serializers.JSONField(help_text="{message, stack, status_code, sample}")

    class Meta:
        model = DeadLetter
        fields = [
            "job_id",
            "kind",
            "payload",
            "failure_reason",
            "error_class",
            "error_details",
            "fingerprint",
            "attempts",
            "enqueued_at",
            "last_attempt_at",
            "created_at",
            "resolution",
            "resolved_at",
            "resolved_by",
            "note",
        ]


class DeadLetterFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of dead letters; the same for the list and for retrying many."""

    kind = django_filters.CharFilter()
    error_class = django_filters.ChoiceFilter(choices=_CLASSES)
    fingerprint = django_filters.CharFilter()
    run_id = UUIDFilter(field_name="job__run_id")
    resolved = FlagFilter(field_name="resolved_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = DeadLetter
        fields: list[str] = []


class CauseSerializer(serializers.Serializer[dict[str, Any]]):
    """Unsettled dead letters of one cause."""

    fingerprint = serializers.CharField()
    kind = serializers.CharField()
    error_class = serializers.CharField()
    count = serializers.IntegerField()
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()
    example = serializers.CharField()


@extend_schema_serializer(many=False)
class DeadLetterPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of dead letters, with what is unsettled in all."""

    total_failed = serializers.IntegerField()
    by_error_class = serializers.DictField(child=serializers.IntegerField())
    oldest = serializers.DateTimeField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = DeadLetterSerializer(many=True)


class DeadLettersView(generics.ListAPIView[DeadLetter]):
    """All dead letters."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"
    queryset = DeadLetter.objects.all()
    serializer_class = DeadLetterSerializer
    filterset_class = DeadLetterFilter
    ordering = "-created_at"

    @extend_schema(summary="List dead letters, newest first", responses=DeadLetterPageSerializer)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a page, and the counts of everything unsettled."""
        page = self.list(request, *args, **kwargs)
        return Response({**deadletters.summary(), **page.data})


class CausesView(APIView):
    """Dead letters grouped by cause."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="Group unsettled dead letters by cause", responses=CauseSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the causes, the most frequent first."""
        return Response([CauseSerializer(cause).data for cause in deadletters.causes()])


def letter_of(job_id: UUID) -> DeadLetter:
    """Return the newest dead letter of a job; `NotFound` when it has none."""
    letter = DeadLetter.objects.filter(job_id=job_id).order_by("-created_at", "-id").first()
    if letter is None:
        raise NotFound("This job has left no dead letter.")
    return letter


class DeadLetterView(APIView):
    """One dead letter."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="Show the dead letter of a job", responses=DeadLetterSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        """Return the newest dead letter of the job."""
        return Response(DeadLetterSerializer(letter_of(job_id)).data)


class ResolveSerializer(serializers.Serializer[dict[str, Any]]):
    """Why it needs no retry."""

    note = TextField(required=False, default="", max_length=2000, allow_blank=True)


class ResolveView(APIView):
    """Settling a dead letter without a retry."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="Resolve a dead letter", request=ResolveSerializer, responses=DeadLetterSerializer)
    def post(self, request: Request, job_id: UUID) -> Response:
        """Settle it; resolving again changes nothing."""
        given = ResolveSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        letter_of(job_id)
        deadletters.resolve([job_id], resolved_by=request.user.get_username(), note=given.validated_data["note"])
        return Response(DeadLetterSerializer(letter_of(job_id)).data)


class RequeuedSerializer(serializers.Serializer[dict[str, Any]]):
    """A job that waits again."""

    status = serializers.CharField()
    job_id = serializers.UUIDField()


class RetryOneView(APIView):
    """Retrying one dead letter."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Retry a dead letter",
        operation_id="admin_dlq_retry_one",
        request=None,
        responses={200: RequeuedSerializer, 409: OpenApiResponse(description="It is settled already.")},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        """Make its job wait again."""
        letter_of(job_id)
        deadletters.retry_one(job_id, triggered_by=request.user.get_username())
        return Response({"status": "requeued", "job_id": str(job_id)})


class RetryManySerializer(serializers.Serializer[dict[str, Any]]):
    """Which dead letters to retry: by ids or by a filter, never all by mistake."""

    job_ids = serializers.ListField(child=TextUUIDField(), required=False, min_length=1, max_length=MAX_IDS)
    kind = TextField(required=False)
    error_class = serializers.ChoiceField(choices=_CLASSES, required=False)
    fingerprint = TextField(required=False)
    run_id = TextUUIDField(required=False, help_text="Those of one run.")
    dry_run = FlagField(default=False)
    per_second = WholeNumberField(
        required=False, min_value=1, max_value=FASTEST, help_text="No more in any second: done in the background."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a request that names nothing."""
        if not attrs.keys() - {"dry_run", "per_second"}:
            raise serializers.ValidationError("Name job_ids, kind, error_class, fingerprint or run_id.")
        return attrs

    def criteria(self) -> dict[str, Any]:
        """Return what names the dead letters, as `deadletters.matching` takes it."""
        return {name: value for name, value in self.validated_data.items() if name not in {"dry_run", "per_second"}}

    def letters(self) -> QuerySet[DeadLetter]:
        """Return the unsettled dead letters that the request names."""
        return deadletters.matching(**self.criteria())


class RetriedSerializer(serializers.Serializer[dict[str, Any]]):
    """What came of it."""

    requeued = serializers.IntegerField()
    skipped = serializers.IntegerField()


class RetryManyView(APIView):
    """Retrying many dead letters."""

    permission_classes = [IsAdminUser]
    throttle_scope = "bulk"

    @extend_schema(
        operation_id="admin_dlq_retry_many",
        summary="Retry dead letters by ids or by a filter",
        description="With `per_second` it is a bulk action in the background, whose address is in `Location`.",
        request=RetryManySerializer,
        responses={200: RetriedSerializer, 202: BulkActionDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make their jobs wait again, at once or at a rate; a dry run says how many would."""
        given = RetryManySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        if given.validated_data["dry_run"]:
            done = deadletters.retry_outlook(given.letters())
        elif "per_second" in given.validated_data:
            return _retry_slowly(request, given)
        else:
            done = deadletters.retry_letters(given.letters(), triggered_by=request.user.get_username())
        skipped = done.skipped + max(
            0, len(set(given.validated_data.get("job_ids", []))) - done.requeued - done.skipped
        )
        return Response({"requeued": done.requeued, "skipped": skipped})


def _retry_slowly(request: Request, given: RetryManySerializer) -> Response:
    """Have the background do it: 202 with the bulk action, and its address as `Location`."""
    letters = given.letters()
    bulk = start(
        RETRY_LETTERS,
        {API: json.loads(json.dumps(given.criteria(), default=str))},
        letters,
        Asked(request.user.get_username(), Source.API),
        up_to=RETRY_LETTERS.keyset.newest(letters),
        per_second=given.validated_data["per_second"],
    )
    shown = BulkActionDetailSerializer(told_in_full(bulk)).data
    return Response(shown, status.HTTP_202_ACCEPTED, headers={"Location": url_of(bulk)})
