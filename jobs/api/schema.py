"""The OpenAPI schema of every operation, with the errors that it can answer.

Errors follow from what an operation is: who may call it, what it takes, how often it may be called. A view declares
only those that are its own, with a description and no schema (`409: OpenApiResponse(description="...")`); all of them
get the one envelope.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from rest_framework import serializers

from jobs.api.fields import TextField
from jobs.api.idempotency import HEADER
from jobs.api.pagination import CURSOR


class ErrorDetailSerializer(serializers.Serializer[dict[str, Any]]):
    """What went wrong."""

    code = serializers.CharField(help_text="The kind of error, for programs.")
    message = serializers.CharField(help_text="What is wrong and what to do, for people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.JSONField(), required=False, help_text="What is wrong with single fields, by name."
    )


class ErrorSerializer(serializers.Serializer[dict[str, Any]]):
    """The one form of every error."""

    error = ErrorDetailSerializer()


class TextFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Says which characters a text is made of."""

    target_class = TextField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: SpectacularSchema, direction: str) -> dict[str, Any]:
        """Return the field's schema with its pattern."""
        schema: dict[str, Any] = auto_schema._map_serializer_field(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        return {**schema, "pattern": self.target.pattern} if direction == "request" else schema


class AutoSchema(SpectacularSchema):
    """Describes operations with their errors in the envelope, and filters with what they may hold: nothing, too."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation with its errors, in the order of their statuses."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                parameter["allowEmptyValue"] = True
                if parameter["schema"] == {"type": "string"}:
                    parameter["schema"] = {"type": "string", "pattern": TextField.pattern}
        responses: dict[str, dict[str, Any]] = operation["responses"]
        for status, description in self._errors(operation):
            responses.setdefault(str(status), {"description": description})
        for code, response in responses.items():
            if int(code) >= 400:
                response.setdefault("content", {"application/json": {"schema": self._envelope()}})
        if "429" in responses:
            seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            responses["429"].setdefault("headers", {"Retry-After": seconds})
        operation["responses"] = dict(sorted(responses.items()))
        return operation

    def _envelope(self) -> dict[str, Any]:
        reference: dict[str, Any] = self.resolve_serializer(ErrorSerializer, "response").ref
        return reference

    def _errors(self, operation: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield the errors that follow from what the operation is."""
        parameters = operation.get("parameters", ())
        places = {parameter["in"] for parameter in parameters}
        names = {parameter["name"] for parameter in parameters}
        takes_body = "requestBody" in operation
        if takes_body or not places.isdisjoint({"query", "header"}):
            yield 400, "The request is wrong, as `message` and `fields` say."
        if self.view.get_authenticators():
            yield 401, "The token is missing or not valid."
            if operation.get("security"):
                yield 403, "Not allowed: for staff only, or a session without its CSRF token."
        if "path" in places or CURSOR in names:
            yield 404, "There is no such thing."
        yield 406, "The answer is to be something else than JSON."
        if takes_body:
            yield 411, "The body comes without its length."
            yield 413, "The body is too large."
            yield 415, "The body is of a type that is not read here."
        if HEADER in names:
            yield 409, f"A request with this {HEADER} is still under way."
            yield 422, f"This {HEADER} was sent before with other content."
        if getattr(self.view, "throttle_scope", None):
            yield 429, "Too many requests."
