"""Dead letters as a file: all that match a list's filter, streamed, whatever their number."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from jobs.models import DeadLetter

#: The columns of a CSV file; JSON has the payload and the stack as well.
COLUMNS = (
    *("job_id", "kind", "subject", "error_class", "failure_reason", "attempts", "fingerprint"),
    *("enqueued_at", "last_attempt_at", "created_at", "resolution", "resolved_at", "resolved_by", "note"),
)
#: Rows that are fetched at a time.
CHUNK = 500
#: A cell that begins like this is a formula to a spreadsheet, and its text came from outside.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """Gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _cell(value: Any) -> str:
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(letters: QuerySet[DeadLetter]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\N{ZERO WIDTH NO-BREAK SPACE}"
    yield writer.writerow(COLUMNS)
    for row in letters.values_list(*COLUMNS).iterator(CHUNK):
        yield writer.writerow([_cell(value) for value in row])


def _json(letters: QuerySet[DeadLetter]) -> Iterator[str]:
    for row in letters.values(*COLUMNS, "payload", "error_details").iterator(CHUNK):
        yield json.dumps(row, default=_cell, ensure_ascii=False) + "\n"


#: By the name of the format: what makes its lines, its type, the end of the file's name.
FORMATS = {"csv": (_csv, "text/csv; charset=utf-8", "csv"), "json": (_json, "application/x-ndjson", "jsonl")}


def exported(letters: QuerySet[DeadLetter], name: str) -> StreamingHttpResponse:
    """Return the letters as a file in the format called `name`; `KeyError` for one that there is not."""
    lines, content_type, ending = FORMATS[name]
    ordered = DeadLetter.objects.filter(pk__in=letters.order_by().values("pk")).order_by("id")
    response = StreamingHttpResponse(lines(ordered), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="dead-letters.{ending}"'
    return response
