"""Reading request bodies."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from jobs.api.exceptions import PayloadTooLarge
from jobs.strict_json import read_json


class BoundedJSONParser(BaseParser):
    """JSON in UTF-8 of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes, as strict as `jobs.strict_json.read_json`.

    DRF's own parser reads a body of any size and fails on deep nesting with a RecursionError.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the value. Raises `ParseError` for what is not JSON, `PayloadTooLarge` for too much of it."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge(f"The body is larger than {limit:,} bytes: send it in parts.")
        try:
            return read_json(body.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not JSON in UTF-8: byte {error.start + 1} is wrong.") from None
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from None
