"""The API keeps what its OpenAPI schema promises, whatever it is sent. Schemathesis thinks up the requests."""

import json
import os
from typing import Any, Final
from uuid import UUID

import hypothesis
import pytest
import schemathesis
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from schemathesis.core.transport import Response

from yellowbook.wsgi import application

from .conftest import BULK, BUSINESS, DEAD, QUEUED, RUN, TOKEN

#: Random requests for each operation, besides the some sixty that Schemathesis derives from its schema: boundary
#: values, missing and wrong parameters, other methods. A longer pass: SCHEMATHESIS_EXAMPLES=1000.
EXAMPLES: Final = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))

#: Operations with a rule that OpenAPI 3.0 has no words for, so that some of what fits their schema is refused. The
#: check that all of it is accepted is left out for these, and no other check.
WITH_FURTHER_RULES: Final = {
    "POST /api/yellow-books": "coordinates go together, external ids are unique, a website is an address of the web",
    "PUT /api/yellow-books/{id}": "the same",
    "PATCH /api/yellow-books/{id}": "the same",
    "POST /api/yellow-books/import": "the body is a text whose lines are CSV or JSON",
    "POST /api/catalogue/sellers": "the owner is a user who exists",
    "PATCH /api/catalogue/sellers/{id}": "the same",
    "POST /api/catalogue/sources": "the seller exists, and the URL is one of http or https",
    "PATCH /api/catalogue/sources/{id}": "the same",
    "POST /api/reminders/occasions": "the time zone, the day and the business are there",
    "PATCH /api/reminders/occasions/{id}": "the same",
    "POST /api/reminders/push-subscriptions": "the address is one of https, and the keys are such; push is set up",
    "PUT /api/taste-profile": "categories, cities and occasions are known, and something is answered",
    "PATCH /api/taste-profile": "categories, cities and occasions are known",
    "POST /api/collections/regenerate": "the day is at most thirty days from today",
    "GET /api/search": "a query is more than white space",
    "POST /api/admin/dlq/retry": "at least one of its optional fields is given",
}

#: Bodies that are text to OpenAPI. Whatever is sent is a text, so none of them is of a wrong type.
PLAIN_TEXT: Final = frozenset({"text/csv", "application/x-ndjson"})

api = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
api.app = application
api.config.generation.update(deterministic=True, with_security_parameters=False)

#: Operations that answered well with a token, so that it was tried what they answer without one: once is enough.
_GUARDED: set[str] = set()


@api.auth(refresh_interval=None)
class StaffToken:
    """Sends the token of a member of the staff."""

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str:
        return TOKEN

    def set(self, case: schemathesis.Case[Any], data: str, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@api.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: dict[str, Any] | None) -> dict[str, Any]:
    """Let half of the random ids be those of rows that are there."""
    return {name: _often_known(name, value) for name, value in (path_parameters or {}).items()}


def _often_known(name: str, value: Any) -> Any:
    known = {"id": [BUSINESS], "job_id": [DEAD, QUEUED], "run_id": [RUN], "bulk_action_id": [BULK]}.get(name)
    try:
        number = UUID(value).int
    except (ValueError, TypeError, AttributeError):
        return value
    return str(known[number // 2 % len(known)]) if known and number % 2 else value


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_text(context: schemathesis.SerializationContext, value: Any) -> Any:
    """Send a text as it is, and anything else as JSON."""
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")


@pytest.mark.django_db
# Some hundred requests each.
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("directory")
@api.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_answer_is_one_that_the_schema_promises(case: schemathesis.Case[Any]) -> None:
    left_out = []
    if case.operation.label in WITH_FURTHER_RULES:
        left_out.append(schemathesis.checks.positive_data_acceptance)
    if case.media_type in PLAIN_TEXT:
        left_out.append(schemathesis.checks.negative_data_rejection)
    if case.operation.label in _GUARDED:
        left_out.append(schemathesis.checks.ignored_auth)
    with transaction.atomic():
        response: Response = case.call()
        case.validate_response(response, excluded_checks=left_out)
        transaction.set_rollback(True)
    if response.status_code < 300:
        _GUARDED.add(case.operation.label)
