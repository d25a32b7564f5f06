"""Reads the bodies of imports as the streams that they are."""

from collections.abc import Mapping
from typing import IO, Any

from django.utils.datastructures import MultiValueDict
from rest_framework.parsers import BaseParser, DataAndFiles


class StreamParser(BaseParser):
    """Leaves the body unread for whoever streams it."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        """Return the stream itself as the request's data."""
        return DataAndFiles(stream, MultiValueDict())


class CSVParser(StreamParser):
    """`text/csv`."""

    media_type = "text/csv"


class JSONLinesParser(StreamParser):
    """`application/x-ndjson`."""

    media_type = "application/x-ndjson"
