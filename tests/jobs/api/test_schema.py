"""Errors in the OpenAPI schema: all of them, for every operation, in the one envelope."""

from typing import Any

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import IsAdminUser
from rest_framework.views import APIView

from jobs.api.schema import AutoSchema

ENVELOPE = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all operations by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def errors_of(operation: dict[str, Any]) -> set[int]:
    return {int(status) for status in operation["responses"] if int(status) >= 400}


@pytest.mark.parametrize(
    ("operation", "errors"),
    [
        ("GET /api/yellow-books", {400, 401, 404, 406, 429}),
        ("GET /api/yellow-books/{id}", {401, 404, 406, 429}),
        ("POST /api/yellow-books", {400, 401, 403, 406, 409, 411, 413, 415, 422, 429}),
        ("PATCH /api/yellow-books/{id}", {400, 401, 403, 404, 406, 411, 413, 415, 429}),
        ("DELETE /api/yellow-books/{id}", {401, 403, 404, 406, 429}),
        ("GET /api/admin/lanes", {401, 403, 406, 429}),
        ("GET /api/admin/jobs", {400, 401, 403, 404, 406, 429}),
        ("POST /api/admin/jobs/{job_id}/cancel", {401, 403, 404, 406, 409, 429}),
        ("POST /api/admin/embeddings/generate-one", {400, 401, 403, 404, 406, 411, 413, 415, 429, 502}),
    ],
)
def test_an_operation_declares_the_errors_that_follow_from_what_it_is(schema, operation, errors) -> None:
    assert errors_of(operations(schema)[operation]) == errors


def test_every_error_of_every_operation_stands_in_the_envelope(schema) -> None:
    responses = [
        (name, status, response["content"])
        for name, operation in operations(schema).items()
        for status, response in operation["responses"].items()
        if int(status) >= 400
    ]

    assert len(responses) > 100
    assert [each for each in responses if each[2] != ENVELOPE] == []


def test_who_is_throttled_is_told_for_how_long(schema) -> None:
    throttled = [operation["responses"]["429"] for operation in operations(schema).values()]

    assert all(response["headers"]["Retry-After"]["schema"] == {"type": "integer"} for response in throttled)


def test_whoever_honours_the_idempotency_key_declares_what_it_may_answer(schema) -> None:
    keyed = {
        name
        for name, operation in operations(schema).items()
        if "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", ())}
    }

    assert keyed >= {"POST /api/yellow-books", "POST /api/yellow-books/import", "POST /api/admin/embeddings/bulk"}
    assert {name for name, operation in operations(schema).items() if 422 in errors_of(operation)} == keyed
    assert all(409 in errors_of(operations(schema)[name]) for name in keyed)


def test_a_new_view_gets_its_errors_for_free() -> None:
    class New(APIView):
        permission_classes = [IsAdminUser]
        schema = AutoSchema()

        @extend_schema(request=None, responses={204: None, 409: OpenApiResponse(description="Not now.")})
        def post(self, request: Any) -> None:
            """Write."""

    generator = SchemaGenerator(patterns=[path("new", New.as_view())])
    found = generator.get_schema(request=None, public=True)["paths"]["/new"]["post"]

    assert errors_of(found) == {401, 403, 406, 409}
    assert found["responses"]["409"] == {"description": "Not now.", "content": ENVELOPE}
