"""Price levels in words and in signs."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: What a level is called; colour or signs alone would tell some readers nothing.
NAMES: Final = {
    1: gettext_lazy("Inexpensive"),
    2: gettext_lazy("Moderate prices"),
    3: gettext_lazy("Upscale"),
    4: gettext_lazy("Very expensive"),
}


def price_words(level: int) -> str:
    """Return a price level in words."""
    return str(NAMES.get(level) or _("Price level %(level)s") % {"level": level})


def price_signs(level: int) -> str:
    """Return as many signs of the currency as the level says."""
    return "₮" * level
