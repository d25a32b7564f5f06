"""Reads the bodies of imports, bounded, as files that can be read twice."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any, Final

from django.utils.datastructures import MultiValueDict
from rest_framework.parsers import BaseParser, DataAndFiles

from jobs.api.exceptions import PayloadTooLarge

#: Bytes that one request may carry: 10,000 rows of 3 kB.
MAX_BYTES: Final = 32 * 1024 * 1024


class StreamParser(BaseParser):
    """Leaves the body uninterpreted, for whoever reads it row by row."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        """Return the body as a file, as the request's data; raises `PayloadTooLarge` for more than `MAX_BYTES`."""
        body = BytesIO(stream.read(MAX_BYTES + 1))
        if body.getbuffer().nbytes > MAX_BYTES:
            raise PayloadTooLarge(f"The file is larger than {MAX_BYTES // 2**20} MiB: split it.")
        return DataAndFiles(body, MultiValueDict())


class CSVParser(StreamParser):
    """`text/csv`."""

    media_type = "text/csv"


class JSONLinesParser(StreamParser):
    """`application/x-ndjson`."""

    media_type = "application/x-ndjson"
