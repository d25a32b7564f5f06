"""`/api/admin/embeddings/generate-all`, `status`, `stop`: bringing the whole table up to date."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from embeddings import services
from embeddings.kinds import GENERATE_EMBEDDING
from jobs import runs
from jobs.api.exceptions import Conflict
from jobs.api.fields import FlagField, TextField, TextUUIDField, WholeNumberField
from jobs.api.runs import RunDetailSerializer, refused, told_in_full, url_of
from jobs.api.views import actor_of
from jobs.models import Run
from jobs.runs.start import State
from jobs.states import Priority

#: An hour, in milliseconds.
LONGEST_DELAY = 3_600_000


class GenerateAllSerializer(serializers.Serializer[dict[str, Any]]):
    """What the run is about, and how gently it goes."""

    batch_size = WholeNumberField(
        default=10, min_value=1, max_value=10_000, help_text="Businesses fed at a time, where there is a delay."
    )
    delay_between_batches = WholeNumberField(
        default=0, min_value=0, max_value=LONGEST_DELAY, help_text="Milliseconds; 0: as fast as the workers are."
    )
    skip_existing = FlagField(default=True, help_text="Leave out what has a vector of its present text.")
    stale_only = FlagField(default=False, help_text="Only what has a vector, but no fresh one.")
    force = FlagField(default=False, help_text="Embed again even what is unchanged.")
    category = TextField(required=False, max_length=100, help_text="Only businesses of this category.")
    limit = WholeNumberField(required=False, min_value=1, max_value=2**31 - 1, help_text="At most so many.")
    resume_from = TextUUIDField(required=False, help_text="Begin after the business with this id.")
    priority = serializers.ChoiceField(choices=[(label, label) for label in Priority.labels], default="low")
    dry_run = FlagField(default=False, help_text="Only say what it would come to.")

    def options(self) -> dict[str, Any]:
        """Return the options of the run."""
        given = dict(self.validated_data)
        given.pop("dry_run")
        given["delay"] = given.pop("delay_between_batches") / 1000
        if "resume_from" in given:
            given["resume_from"] = str(given["resume_from"])
        return given


class DryRunSerializer(serializers.Serializer[dict[str, Any]]):
    """What a run would come to."""

    dry_run = serializers.BooleanField()
    total = serializers.IntegerField(help_text="Businesses that it would make jobs for.")
    unchanged = serializers.IntegerField(help_text="Businesses with a vector of their present text.")
    cached = serializers.IntegerField(help_text="Businesses that would share the vector of an equal text.")
    too_long = serializers.IntegerField(help_text="Businesses whose text would be cut to the model's limit.")
    texts = serializers.IntegerField(help_text="Texts that would be sent.")
    tokens = serializers.IntegerField(help_text="Their tokens, at most.")
    cost_usd = serializers.FloatField(help_text="At the price that EMBEDDING_PRICE names, at most.")
    eta_seconds = serializers.FloatField(allow_null=True, help_text="By the provider's budgets; null without any.")
    forecast = serializers.CharField()


class StatusSerializer(RunDetailSerializer):
    """The run under way, else the last one; without any, `run_id` is null and all counts are 0."""

    run_id = serializers.UUIDField(allow_null=True)
    state = serializers.CharField(help_text="Empty without any run.")  # type: ignore[assignment]
    started_at = serializers.DateTimeField(allow_null=True)


#: The status where there never was a run.
NO_RUN: dict[str, Any] = {
    **dict.fromkeys(RunDetailSerializer().fields, 0),
    **dict.fromkeys(["run_id", "rate", "started_at", "finished_at", "eta_seconds", "last_processed_id"]),
    **dict.fromkeys(["state", "requested_by", "source", "error"], ""),
    "kind": GENERATE_EMBEDDING,
    "is_running": False,
    "forecast": "There was no run yet.",
    "options": {},
    "results": {},
    "failures": [],
    "errors": [],
}


class GenerateAllView(APIView):
    """Embedding everything."""

    permission_classes = [IsAdminUser]
    throttle_scope = "bulk"

    @extend_schema(
        summary="Embed every business that needs it",
        description="One run at a time. The answer's `Location` leads to it; a dry run only counts.",
        request=GenerateAllSerializer,
        responses={
            202: RunDetailSerializer,
            200: DryRunSerializer,
            409: OpenApiResponse(description="A run is under way: `fields` and `Location` lead to it."),
        },
    )
    def post(self, request: Request) -> Response:
        """Start a run, or say what one would come to."""
        given = GenerateAllSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        if given.validated_data["dry_run"]:
            return Response(DryRunSerializer(services.dry_run(given.options())).data)
        try:
            run = services.embed_all(given.options(), actor=actor_of(request))
        except runs.RunActive as error:
            return refused(error)
        body = RunDetailSerializer(told_in_full(run)).data
        return Response(body, status.HTTP_202_ACCEPTED, headers={"Location": url_of(run)})


class StatusView(APIView):
    """The run of the moment."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="Show the current or last run", responses=StatusSerializer)
    def get(self, request: Request) -> Response:
        """Return the run under way, else the last one."""
        run = services.latest_run()
        return Response(StatusSerializer(NO_RUN if run is None else told_in_full(run)).data)


class StoppedSerializer(serializers.Serializer[dict[str, Any]]):
    """A run that makes no more jobs."""

    stopped = serializers.BooleanField()
    run_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Run.State.choices)


class StopView(APIView):
    """Stopping the run of the moment."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(
        summary="Stop the current run",
        request=None,
        responses={200: StoppedSerializer, 409: OpenApiResponse(description="No run is under way.")},
    )
    def post(self, request: Request) -> Response:
        """Stop it; 409 when none is running."""
        run = services.latest_run()
        if run is None or run.state != State.RUNNING:
            raise Conflict("No run is under way.")
        stopped = runs.stop(run.id)
        return Response(StoppedSerializer({"stopped": True, "run_id": stopped.id, "state": stopped.state}).data)
