"""What a search takes and gives."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import TextField
from yellowbook.directory.api.serializers import BusinessSerializer, CleanCharField
from yellowbook.directory.text import validate_text
from yellowbook.search.filters import Filters
from yellowbook.search.rank import POOL, Ranking, Reason
from yellowbook.search.search import LONGEST_QUERY, Answer, Result


class AskedSerializer(serializers.Serializer[dict[str, Any]]):
    """The parameters of a search. An empty filter counts as not given."""

    q = CleanCharField(
        min_length=1,
        max_length=LONGEST_QUERY,
        validators=[validate_text],
        help_text="What to look for: words, a name, or a description.",
    )
    category = TextField(max_length=100, required=False, allow_blank=True, help_text="Exactly this category.")
    city = TextField(max_length=100, required=False, allow_blank=True, help_text="Exactly this city.")
    price_level = serializers.ChoiceField(choices=["", "1", "2", "3", "4"], required=False)
    tag = TextField(max_length=40, required=False, allow_blank=True, help_text="With this tag, by its name.")
    limit = serializers.IntegerField(min_value=1, max_value=POOL, default=10)
    offset = serializers.IntegerField(min_value=0, max_value=POOL, default=0)

    def filters(self) -> Filters:
        """Return the filters that were given."""
        given = self.validated_data
        price = given.get("price_level")
        return Filters(
            category=given.get("category") or None,
            city=given.get("city") or None,
            price_level=int(price) if price else None,
            tag=given.get("tag") or None,
        )


class ResultSerializer(serializers.Serializer[Result]):
    """A business that was found."""

    business = BusinessSerializer()
    score = serializers.FloatField(help_text="0 to 1; 1 is the first by meaning, by words and by name.")
    why = serializers.ListField(
        child=serializers.ChoiceField(choices=[reason.value for reason in Reason]),
        help_text="`name`: its name was asked for; `spelling`: but for a slip of the pen; `words`: it has words of the"
        " query; `meaning`: its text is about the same.",
    )


class AnswerSerializer(serializers.Serializer[Answer]):
    """What was found."""

    results = ResultSerializer(many=True)
    total = serializers.IntegerField(help_text=f"Businesses on all pages; {POOL} at most.")
    ranking = serializers.ChoiceField(
        choices=[Ranking.FUSED.value, Ranking.LEXICAL.value],
        help_text="`lexical`: the provider could not be asked, so that the query's words alone decided.",
    )
    took_ms = serializers.FloatField(source="took")
    cached = serializers.BooleanField()
