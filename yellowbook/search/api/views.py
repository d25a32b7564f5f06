"""`/api/search`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from yellowbook.search.api.serializers import AnswerSerializer, AskedSerializer
from yellowbook.search.search import search


class SearchView(APIView):
    """Finds published businesses."""

    authentication_classes: Any = []
    permission_classes = [AllowAny]
    throttle_scope = "public"

    @extend_schema(
        summary="Search businesses",
        description=(
            "Ranks published businesses by meaning, by words and by name; Mongolian and English, Cyrillic and Latin"
            " spellings and slips of the pen find each other."
        ),
        parameters=[AskedSerializer],
        responses=AnswerSerializer,
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Search."""
        asked = AskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        answer = search(given["q"], asked.filters(), limit=given["limit"], offset=given["offset"])
        return Response(AnswerSerializer(answer).data)
