"""The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request sent again takes effect once."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import IO, Any, Final, TypeVar, cast

from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import idempotency
from jobs.api.exceptions import Conflict

HEADER: Final = "Idempotency-Key"
#: Tells an answer that was given before from the first one.
REPLAYED: Final = "Idempotency-Replayed"
#: Characters of a key.
MAX_LENGTH: Final = 255
#: Bytes of a stream that are hashed at a time.
_CHUNK: Final = 64 * 1024

_PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": MAX_LENGTH},
    OpenApiParameter.HEADER,
    description=(
        "Any text of up to 255 visible ASCII characters, e.g. a UUID. For 24 hours a second request with the same key "
        f"and content gets the first one's answer, marked `{REPLAYED}: true`, and does nothing; with other content it "
        "gets 422."
    ),
)

View = TypeVar("View", bound=Callable[..., Response])


class UnprocessableKey(exceptions.APIException):
    """422: the key belongs to another request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = f"This {HEADER} was sent before with other content: use a new key for a new request."


def idempotent(view: View) -> View:
    """Have a method of a view honour the header. Its effect must all be in the database.

    Only a request that succeeds (2xx) is remembered: one that was refused had no effect and may be sent again.
    """

    @wraps(view)
    def answer(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return view(self, request, *args, **kwargs)
        try:
            with idempotency.once(
                caller=request.user.get_username(),
                path=f"{request.method} {request.path.rstrip('/')}",
                key=_checked(key),
                content_hash=_content_hash(request),
            ) as known:
                if known.replayed:
                    return _replayed(known)
                response = view(self, request, *args, **kwargs)
                if not status.is_success(response.status_code):
                    raise _Refused(response)
                body = JSONRenderer().render(response.data).decode()
                known.keep(status_code=response.status_code, body=body, location=response.get("Location", ""))
                return response
        except _Refused as refused:
            return refused.response
        except idempotency.OtherContent:
            raise UnprocessableKey from None
        except idempotency.UnderWay:
            raise Conflict(f"A request with this {HEADER} is still under way: ask again in a moment.") from None

    return cast(View, extend_schema(parameters=[_PARAMETER])(answer))


class _Refused(Exception):
    """Carries an answer that is no success out of the transaction, which it undoes."""

    def __init__(self, response: Response) -> None:
        self.response = response


def _checked(key: str) -> str:
    if not 1 <= len(key) <= MAX_LENGTH or not all("!" <= sign <= "~" for sign in key):
        raise exceptions.ValidationError({HEADER: [f"Expected 1 to {MAX_LENGTH} visible ASCII characters."]})
    return key


def _replayed(known: idempotency.Answer) -> Response:
    headers = {REPLAYED: "true", **({"Location": known.row.location} if known.row.location else {})}
    return Response(json.loads(known.row.body), known.row.status_code, headers=headers)


def _content_hash(request: Request) -> str:
    """Hash what the request says, however it is spelt: the order of JSON's keys and a form's boundary do not count."""
    digest = hashlib.sha256((request.content_type or "").partition(";")[0].strip().lower().encode())
    digest.update(json.dumps(sorted(request.query_params.lists())).encode())
    data: Any = request.data
    if hasattr(data, "read"):
        _add_stream(digest, data)
    elif isinstance(data, MultiValueDict):
        for name, values in sorted(data.lists()):
            for value in values:
                digest.update(f"\0{name}\0".encode())
                if hasattr(value, "read"):
                    digest.update(f"{value.name}\0".encode())
                    _add_stream(digest, value)
                else:
                    digest.update(str(value).encode())
    else:
        digest.update(json.dumps(data, sort_keys=True).encode())
    return digest.hexdigest()


def _add_stream(digest: Any, stream: IO[bytes]) -> None:
    """Hash a stream and leave it at its beginning."""
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    stream.seek(0)
