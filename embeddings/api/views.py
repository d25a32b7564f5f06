"""`/api/admin/embeddings/...`: asking for embeddings and watching coverage."""

import time

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import exceptions, status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from embeddings import selectors, services
from embeddings.api.serializers import (
    BulkRequestSerializer,
    BulkSerializer,
    OneRequestSerializer,
    OneSerializer,
    StatsSerializer,
)
from jobs.api.errors import envelope
from jobs.api.idempotency import idempotent
from jobs.api.views import actor_of
from jobs.states import Status


class BulkView(APIView):
    """Embedding many businesses in the background."""

    permission_classes = [IsAdminUser]
    throttle_scope = "bulk"

    @extend_schema(
        summary="Embed many businesses",
        request=BulkRequestSerializer,
        responses={202: BulkSerializer},
        examples=[
            OpenApiExample(
                "Two businesses",
                {
                    "business_ids": ["0b9f3a52-6a55-4f36-8a1d-0a1f3d1f6c55", "4f1c2e0e-52a5-4d38-9f0e-6f3f5f0f8a10"],
                    "priority": "low",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make sure that a job waits for each business, and answer before any of them is done."""
        given = BulkRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        bulk = services.embed_many(
            given.validated_data["business_ids"],
            priority=given.validated_data["priority"],
            actor=actor_of(request),
        )
        body = {
            "queued": bulk.queued,
            "skipped": bulk.skipped,
            "not_found": [str(each) for each in bulk.not_found],
            "jobs": [
                {"job_id": str(entry.job_id), "business_id": entry.subject, "status": entry.status}
                for entry in bulk.entries
            ],
            "run_id": str(bulk.run.id),
        }
        return Response(body, status=status.HTTP_202_ACCEPTED)


class GenerateOneView(APIView):
    """Embedding one business at once."""

    permission_classes = [IsAdminUser]
    throttle_scope = "bulk"

    @extend_schema(
        summary="Embed one business and wait for its vector",
        request=OneRequestSerializer,
        responses={
            200: OneSerializer,
            404: OpenApiResponse(description="There is no such business."),
            502: OpenApiResponse(description="The attempt failed; the code is its failure class. It is retried."),
        },
    )
    def post(self, request: Request) -> Response:
        """Embed the business in this request."""
        started = time.monotonic()
        given = OneRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            job = services.embed_now(given.validated_data["business_id"], actor=actor_of(request))
        except LookupError as error:
            raise exceptions.NotFound(str(error)) from None
        except services.NoBudget as error:
            raise exceptions.Throttled(wait=error.seconds, detail=str(error)) from None
        if job.status != Status.SUCCEEDED:
            return Response(
                {**envelope(job.error_class or job.status, job.error or job.result), "job_id": str(job.id)},
                status=status.HTTP_502_BAD_GATEWAY,
            )
        return Response(
            {
                "job_id": str(job.id),
                "business_id": job.subject,
                "duration_ms": round((time.monotonic() - started) * 1000),
                "result": job.result,
            }
        )


class StatsView(APIView):
    """Coverage."""

    permission_classes = [IsAdminUser]
    throttle_scope = "staff"

    @extend_schema(summary="Show how well the businesses are covered by vectors", responses=StatsSerializer)
    def get(self, request: Request) -> Response:
        """Count, from the rows."""
        return Response(StatsSerializer(selectors.coverage()).data)
