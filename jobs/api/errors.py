"""The one error envelope: `{"error": {"code", "message", "fields"?}}`."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from jobs.api.exceptions import Conflict, PayloadTooLarge
from jobs.kinds import UnknownKind
from jobs.lifecycle import StateConflict

log = structlog.get_logger(__name__)


def envelope(code: str, message: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the body of an error."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return {"error": _encodable(error)}


def _encodable(part: Any) -> Any:
    """Return a part of an error with lone surrogates spelled out: it may quote what can't be sent back as it came."""
    if isinstance(part, Mapping):
        return {_encodable(name): _encodable(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_encodable(each) for each in part]
    return part.encode(errors="backslashreplace").decode() if isinstance(part, str) else part


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of a view into the envelope; None leaves it to Django (a 500, logged)."""
    error = _translated(error)
    response = exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(error.detail)
        response.data = envelope("invalid", _summary(fields), fields)
    else:
        response.data = envelope(_code(error), _text(error.detail))
    return response


def _translated(error: Exception) -> Exception:
    """Return the API's form of errors that know nothing of HTTP."""
    if isinstance(error, Http404):
        return exceptions.NotFound(
            str(error) if error.args and "No " not in str(error) else "There is no such thing here."
        )
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, StateConflict):
        return Conflict(str(error))
    if isinstance(error, UnknownKind):
        return exceptions.NotFound(str(error))
    if isinstance(error, RequestDataTooBig):
        return PayloadTooLarge("The request's body is too large: send it in smaller parts.")
    if isinstance(error, TooManyFieldsSent | SuspiciousOperation):
        return exceptions.ParseError("The request can't be read.")
    if isinstance(error, UnicodeDecodeError):
        return exceptions.ParseError("The request is not valid UTF-8.")
    return error


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _text(detail: Any) -> str:
    if isinstance(detail, Mapping):
        return " ".join(_text(part) for part in detail.values())
    if isinstance(detail, list | tuple):
        return " ".join(_text(part) for part in detail)
    return str(detail)


def _fields(detail: Any) -> dict[str, Any]:
    if isinstance(detail, Mapping):
        return {str(name): value for name, value in detail.items()}
    return {"non_field_errors": detail if isinstance(detail, list) else [detail]}


def _summary(fields: Mapping[str, Any]) -> str:
    names = [name for name in fields if name != "non_field_errors"]
    return f"Correct these and send it again: {', '.join(names)}." if names else _text(fields["non_field_errors"])


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """400 for requests that do not come as far as a view."""
    return JsonResponse(envelope("bad_request", "The request can't be read."), status=400)


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """404 for paths under `/api/` that lead nowhere."""
    return JsonResponse(envelope("not_found", f"There is nothing at {request.path}."), status=404)


def server_error(request: HttpRequest) -> JsonResponse:
    """500 for a defect of ours: logged with its traceback by Django."""
    return JsonResponse(envelope("server_error", "Something went wrong on our side; it has been logged."), status=500)


def unavailable(request: HttpRequest) -> JsonResponse:
    """503 while the database does not take what was asked."""
    message = "The database does not take this at the moment: send it again; with an Idempotency-Key it is done once."
    return JsonResponse(envelope("unavailable", message), status=503)
