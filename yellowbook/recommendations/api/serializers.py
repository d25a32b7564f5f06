"""JSON forms of taste profiles, opinions and recommendations."""

from typing import Any, Final

from rest_framework import serializers

from jobs.api.fields import FlagField, TextField, WholeNumberField
from yellowbook.directory.api.serializers import BusinessSerializer, CleanCharField
from yellowbook.directory.text import TEXT_PATTERN, validate_text
from yellowbook.recommendations.models import ABOUT_LENGTH, Opinion
from yellowbook.recommendations.occasions import Occasion, occasions
from yellowbook.recommendations.reasons import Code, Reason
from yellowbook.recommendations.recommend import Recommended
from yellowbook.recommendations.selectors import unknown
from yellowbook.recommendations.standing import Standing, State
from yellowbook.similarity.api.serializers import LimitField, ScoreField

#: Values of one list of answers.
MOST_VALUES: Final = 20
#: Recommendations of one answer.
MOST: Final = 50
LIMIT: Final = 10


class ValueField(TextField):
    """A category or city, as the directory has it."""

    pattern = TEXT_PATTERN


class AnswersSerializer(serializers.Serializer[dict[str, Any]]):
    """The answers of the questionnaire. An empty list means: any."""

    categories = serializers.ListField(
        child=ValueField(max_length=100), max_length=MOST_VALUES, required=False, help_text="Of the directory."
    )
    price_levels = serializers.ListField(
        child=WholeNumberField(min_value=1, max_value=4),
        max_length=4,
        required=False,
        help_text="From 1 (cheap) to 4 (expensive).",
    )
    cities = serializers.ListField(
        child=ValueField(max_length=100), max_length=MOST_VALUES, required=False, help_text="Of the directory."
    )
    occasions = serializers.ListField(
        child=TextField(max_length=40),
        max_length=MOST_VALUES,
        required=False,
        help_text="Names, as `/api/taste-profile/questions` lists them.",
    )
    about = CleanCharField(
        max_length=ABOUT_LENGTH,
        required=False,
        allow_blank=True,
        validators=[validate_text],
        help_text="What you like, in your own words.",
    )

    def validate_categories(self, given: list[str]) -> list[str]:
        """Return each once; refuse those that no published business has."""
        return _known("category", given)

    def validate_cities(self, given: list[str]) -> list[str]:
        """Return each once; refuse those that no published business has."""
        return _known("city", given)

    def validate_price_levels(self, given: list[int]) -> list[int]:
        """Return each once, in order."""
        return sorted(set(given))

    def validate_occasions(self, given: list[str]) -> list[str]:
        """Return each once; refuse those that are not listed."""
        return _checked(given, [name for name in given if name not in occasions()])


def _known(field: str, given: list[str]) -> list[str]:
    return _checked(given, unknown(field, given) if given else [])


def _checked(given: list[str], strange: list[str]) -> list[str]:
    if strange:
        raise serializers.ValidationError(f"Not known here: {', '.join(strange)}. See /api/taste-profile/questions.")
    return list(dict.fromkeys(given))


class StandingSerializer(serializers.Serializer[Standing]):
    """Where the vector of the present answers stands."""

    state = serializers.ChoiceField(
        choices=[state.value for state in State],
        help_text="`embedded`; `waiting` for a worker; `delayed`, by what `why` says: it catches up by itself;"
        " `failed`; `missing`: asking for recommendations makes a job; `incomplete`: complete the questionnaire.",
    )
    why = serializers.CharField(allow_blank=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    job_id = serializers.UUIDField(allow_null=True)


class ProfileSerializer(serializers.Serializer[dict[str, Any]]):
    """A taste profile."""

    categories = serializers.ListField(child=serializers.CharField())
    price_levels = serializers.ListField(child=serializers.IntegerField())
    cities = serializers.ListField(child=serializers.CharField())
    occasions = serializers.ListField(child=serializers.CharField())
    about = serializers.CharField(allow_blank=True)
    completed_at = serializers.DateTimeField(
        allow_null=True, help_text="Null: opinions or some answers were given, but not the whole questionnaire."
    )
    updated_at = serializers.DateTimeField()
    embedding = StandingSerializer()


class TasteOccasionSerializer(serializers.Serializer[Occasion]):
    """What people go out for."""

    name = serializers.CharField(help_text="What `occasions` of the answers takes.")
    label_mn = serializers.CharField(source="mn")
    label_en = serializers.CharField(source="en")


class QuestionsSerializer(serializers.Serializer[dict[str, Any]]):
    """What a questionnaire may offer."""

    categories = serializers.ListField(child=serializers.CharField())
    cities = serializers.ListField(child=serializers.CharField())
    price_levels = serializers.ListField(child=serializers.IntegerField())
    occasions = TasteOccasionSerializer(many=True)


class LikedSerializer(serializers.Serializer[dict[str, bool]]):
    """An opinion."""

    liked = FlagField(help_text="False: disliked.")


class OpinionSerializer(serializers.ModelSerializer[Opinion]):
    """An opinion of a business."""

    business_id = serializers.UUIDField()

    class Meta:
        model = Opinion
        fields = ["business_id", "liked", "created_at"]


class ReasonSerializer(serializers.Serializer[Reason]):
    """Why a business is recommended."""

    code = serializers.ChoiceField(choices=[code.value for code in Code])
    value = serializers.CharField(
        allow_blank=True, help_text="The name of a liked business, a category, a city, a price level, an occasion."
    )
    text = serializers.CharField(help_text="In English.")


class RecommendedSerializer(serializers.Serializer[Recommended]):
    """A recommended business."""

    business = BusinessSerializer()
    score = ScoreField(help_text="`similarity`, and what matching answers add to it.")
    similarity = ScoreField(help_text="Of its text and your taste: a cosine, -1 to 1.")
    reasons = ReasonSerializer(many=True)


class RecommendationsSerializer(serializers.Serializer[dict[str, Any]]):
    """Recommendations, in the order in which they are to be shown: not all alike, so not by score alone."""

    results = RecommendedSerializer(many=True)
    embedding = StandingSerializer(help_text="Until it is `embedded`, the results are those of your earlier answers.")


class LimitSerializer(serializers.Serializer[dict[str, int]]):
    """What may be asked."""

    limit = LimitField(min_value=1, max_value=MOST, required=False, help_text=f"At most so many; {LIMIT} by default.")
