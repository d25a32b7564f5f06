"""Why a business is recommended: a code for programs, and a sentence in the reader's language."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.translation import get_language, gettext, gettext_noop

from yellowbook.recommendations.occasions import occasions


class Code(StrEnum):
    """What contributed."""

    #: It is at least as near to a business that the user likes as to the answers.
    LIKED = "liked"
    #: Its text is near to the answers, or nothing else speaks for it.
    ANSWERS = "answers"
    CATEGORY = "category"
    CITY = "city"
    PRICE = "price"
    OCCASION = "occasion"


SENTENCES: Final = {
    Code.LIKED: gettext_noop("similar to what you like: %(value)s"),
    Code.ANSWERS: gettext_noop("similar to your answers"),
    Code.CATEGORY: gettext_noop("category: %(value)s"),
    Code.CITY: gettext_noop("city: %(value)s"),
    Code.PRICE: gettext_noop("price level: %(value)s"),
    Code.OCCASION: gettext_noop("for: %(value)s"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason."""

    code: Code
    #: What it is about: the name of a business, a category, a city, a price level, or the name of an occasion.
    value: str = ""

    @property
    def text(self) -> str:
        """The reason in the reader's language."""
        value = self.value
        if self.code is Code.OCCASION and value in occasions():
            value = occasions()[value].label(get_language() or "en")
        return gettext(SENTENCES[self.code]) % {"value": value}
