"""`/api/taste-profile` and `/api/recommendations`. Each user sees their own, and nobody else's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.core.exceptions import ValidationError as DjangoValidationError
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from embeddings.current import current_model
from jobs.api.exceptions import Conflict
from yellowbook.callers import caller
from yellowbook.recommendations import selectors, services
from yellowbook.recommendations.api.serializers import (
    LIMIT,
    AnswersSerializer,
    LimitSerializer,
    ProfileSerializer,
    QuestionsSerializer,
    RecommendationsSerializer,
    StandingSerializer,
)
from yellowbook.recommendations.models import TasteProfile
from yellowbook.recommendations.occasions import occasions
from yellowbook.recommendations.recommend import NotCompleted, recommend
from yellowbook.recommendations.services import ANSWERS
from yellowbook.recommendations.standing import standing_of

NO_PROFILE: Final = "You have no taste profile: complete the questionnaire with PUT /api/taste-profile."
#: Seconds after which a client that waits for its first recommendations may ask again.
ASK_AGAIN: Final = 2


class Personal(APIView):
    """What belongs to the caller."""

    permission_classes = [IsAuthenticated]
    throttle_scope = "staff"


@contextmanager
def answering() -> Iterator[None]:
    """Answer 400 by field, or 404, for what the services refuse."""
    try:
        yield
    except DjangoValidationError as error:
        raise ValidationError(error.message_dict) from error
    except TasteProfile.DoesNotExist as error:
        raise NotFound(NO_PROFILE) from error


class QuestionsView(Personal):
    """The questionnaire."""

    @extend_schema(summary="Show what the questionnaire may offer", responses=QuestionsSerializer)
    def get(self, request: Request) -> Response:
        """List categories, cities, price levels and occasions."""
        asked = {
            "categories": selectors.categories(),
            "cities": selectors.cities(),
            "price_levels": [1, 2, 3, 4],
            "occasions": list(occasions().values()),
        }
        return Response(QuestionsSerializer(asked).data)


class ProfileView(Personal):
    """One's own profile."""

    @extend_schema(
        summary="Show one's taste profile",
        responses={200: ProfileSerializer, 404: OpenApiResponse(description="There is none yet.")},
    )
    def get(self, request: Request) -> Response:
        """Show it."""
        with answering():
            return _shown(selectors.profile_of(caller(request)))

    @extend_schema(
        summary="Complete the questionnaire",
        description=(
            "Answers as soon as it is saved; a job embeds it in the background, unless the text is the same."
            " What is not given is not answered. Give a category, an occasion or your own words, at least."
        ),
        request=AnswersSerializer,
        responses={200: ProfileSerializer, 201: ProfileSerializer},
    )
    def put(self, request: Request) -> Response:
        """Save all answers."""
        with answering():
            profile, created = services.complete(caller(request), _answers(request))
        return _shown(profile, status.HTTP_201_CREATED if created else status.HTTP_200_OK)

    @extend_schema(
        summary="Change some answers",
        description="Opinions that were given before the questionnaire was completed count as a profile.",
        request=AnswersSerializer,
        responses={200: ProfileSerializer, 404: OpenApiResponse(description="There is no profile yet.")},
    )
    def patch(self, request: Request) -> Response:
        """Save the given answers only."""
        with answering():
            return _shown(services.change(caller(request), _answers(request)))

    @extend_schema(
        summary="Delete one's taste profile with all opinions",
        responses={204: None, 404: OpenApiResponse(description="There is none.")},
    )
    def delete(self, request: Request) -> Response:
        """Delete it."""
        with answering():
            services.delete_profile(caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RecommendationsView(Personal):
    """What suits the caller."""

    @extend_schema(
        summary="Recommend businesses",
        description=(
            "202 while there is no vector of the answers: its body says whether a worker is awaited or what is in the"
            " way. Where there are earlier answers, theirs serve meanwhile."
        ),
        parameters=[LimitSerializer],
        responses={
            200: RecommendationsSerializer,
            202: StandingSerializer,
            409: OpenApiResponse(description="The questionnaire is not completed, or its text can't be embedded."),
        },
    )
    def get(self, request: Request) -> Response:
        """Compute them."""
        # An empty value counts as not given, as in all queries.
        asked = LimitSerializer(data={name: value for name, value in request.query_params.items() if value})
        asked.is_valid(raise_exception=True)
        try:
            answer = recommend(selectors.profile_of(caller(request)), limit=asked.validated_data.get("limit", LIMIT))
        except (TasteProfile.DoesNotExist, NotCompleted) as error:
            raise Conflict("Complete the questionnaire first: PUT /api/taste-profile.") from error
        if answer.results is not None:
            told = {"results": answer.results, "embedding": answer.standing}
            return Response(RecommendationsSerializer(told).data)
        if answer.standing.is_refused:
            raise Conflict(answer.standing.why)
        headers = {"Location": reverse("taste-profile"), "Retry-After": str(ASK_AGAIN)}
        return Response(StandingSerializer(answer.standing).data, status.HTTP_202_ACCEPTED, headers=headers)


def _answers(request: Request) -> dict[str, Any]:
    given = AnswersSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _shown(profile: TasteProfile, code: int = status.HTTP_200_OK) -> Response:
    told = {name: getattr(profile, name) for name in (*ANSWERS, "completed_at", "updated_at")}
    standing = standing_of(profile, current_model())
    return Response(ProfileSerializer({**told, "embedding": standing}).data, code)
