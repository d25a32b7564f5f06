"""`/api/yellow-books/import`: many businesses in one request."""

from typing import BinaryIO, Final, cast

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.exceptions import PayloadTooLarge
from jobs.api.idempotency import idempotent
from yellowbook.directory.api.parsers import MAX_BYTES, CSVParser, JSONLinesParser
from yellowbook.directory.api.serializers import ReportSerializer, UploadSerializer
from yellowbook.directory.api.views import writing
from yellowbook.directory.importer import Format, TooManyRows, import_file
from yellowbook.directory.parsers import UnreadableFile

#: Rows that one request may carry; the command takes any number.
MAX_ROWS: Final = 10_000

#: Formats by the ending of a file's name and by media type.
FORMATS: Final[dict[str, Format]] = {
    "csv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
}

_CSV_EXAMPLE = "name,category,address,city\nНомин ресторан,Ресторан,Энхтайваны өргөн чөлөө 12,Улаанбаатар\n"
_JSONL_EXAMPLE = '{"external_id": "mn-0042", "name": "Nomin", "category": "Restaurant", "address": "Peace Avenue 12"}\n'


class ImportView(APIView):
    """Importing a file."""

    permission_classes = [IsAdminUser]
    parser_classes = [CSVParser, JSONLinesParser, MultiPartParser]
    throttle_scope = "bulk"

    @extend_schema(
        summary="Import businesses",
        description=(
            "Adds new businesses and updates known ones: a row is about the business with its `external_id` or, "
            "without one, with its name and address. Columns that are not given leave a field alone, empty cells "
            "clear optional ones. Good rows are written together, the others named with line and reason."
        ),
        request={
            "text/csv": OpenApiTypes.STR,
            "application/x-ndjson": OpenApiTypes.STR,
            "multipart/form-data": UploadSerializer,
        },
        responses={
            202: ReportSerializer,
            400: OpenApiResponse(description="The file can't be read at all, or its header names no business."),
            413: OpenApiResponse(description=f"More than {MAX_ROWS:,} rows or {MAX_BYTES // 2**20} MiB."),
        },
        examples=[
            OpenApiExample("CSV", value=_CSV_EXAMPLE, media_type="text/csv", request_only=True),
            OpenApiExample("JSON lines", value=_JSONL_EXAMPLE, media_type="application/x-ndjson", request_only=True),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Import the body or the uploaded file."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
            raise PayloadTooLarge(f"The file is larger than {MAX_BYTES // 2**20} MiB: split it.")
        stream, file_format = _opened(request)
        try:
            with writing(request):
                report = import_file(stream, file_format, max_rows=MAX_ROWS)
        except TooManyRows as error:
            raise PayloadTooLarge(str(error)) from error
        except UnreadableFile as error:
            raise ParseError(str(error)) from error
        return Response(ReportSerializer(report).data, status=status.HTTP_202_ACCEPTED)


def _opened(request: Request) -> tuple[BinaryIO, Format]:
    """Return the stream to read and what it holds; 400 when there is none or it can't be told."""
    body = request.data
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type in FORMATS:
        if not hasattr(body, "readline"):
            raise ParseError("The body is empty.")
        return cast(BinaryIO, body), FORMATS[media_type]
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        raise ValidationError({"file": ["Send the file in this part of the form."]})
    ending = (upload.name or "").rpartition(".")[2].lower()
    file_format = FORMATS.get(ending) or FORMATS.get(upload.content_type or "")
    if file_format is None:
        raise ValidationError({"file": ["Send a .csv or .jsonl file."]})
    return cast(BinaryIO, upload), file_format
