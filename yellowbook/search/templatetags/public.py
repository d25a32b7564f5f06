"""What the templates of the public pages ask for."""

import re

from django import template
from django.conf import settings
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from yellowbook.search.pages.prices import price_signs, price_words

register = template.Library()

_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z]")

register.filter("price_words", price_words)
register.filter("price_signs", price_signs)


@register.filter
def lang(text: str) -> SafeString:
    """Return the attribute `lang` for a text in another language than the page: what reads it aloud should know.

    Cyrillic is taken for Mongolian, Latin letters for English.
    """
    text = strip_tags(text)
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    language = "mn" if cyrillic > latin else "en" if latin else get_language()
    return mark_safe("" if language == get_language() else f' lang="{language}"')  # noqa: S308


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """Return the languages of the pages, each by its own name."""
    return list(settings.LANGUAGES)
