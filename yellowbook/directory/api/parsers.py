"""Reads the bodies of imports as the streams that they are."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser


class StreamParser(BaseParser):
    """Leaves the body unread for whoever streams it."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> IO[Any]:
        """Return the stream itself."""
        return stream


class CSVParser(StreamParser):
    """`text/csv`."""

    media_type = "text/csv"


class JSONLinesParser(StreamParser):
    """`application/x-ndjson`."""

    media_type = "application/x-ndjson"
