"""Which words of a business a query has found, and showing them: escaped, in `<mark>`."""

import re
from collections.abc import Iterator, Set
from itertools import islice
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from yellowbook.search.index import WORDS_OF_FIELD
from yellowbook.search.lexical import understood
from yellowbook.search.words import LONGEST, STOP_WORDS, stem_of, term_of

#: Characters of a description that a result shows, and how many of them stand before the first word that was found.
SNIPPET, BEFORE = 180, 40

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def meant_by(text: str) -> frozenset[str]:
    """Return the terms that a query's words may stand for, slips of the pen forgiven; one query."""
    return frozenset(term for word in understood(text).words for term in word.meant)


def found_words(text: str, terms: Set[str]) -> list[str]:
    """Return the words of a text that were found, as they are written there, each once."""
    return list({word.group().casefold(): word.group() for word in _found(text, terms)}.values())


def marked(text: str, terms: Set[str]) -> SafeString:
    """Return the text as HTML with what was found in `<mark>`."""
    parts, done = [], 0
    for word in _found(text, terms):
        parts += [escape(text[done : word.start()]), "<mark>", escape(word.group()), "</mark>"]
        done = word.end()
    parts.append(escape(text[done:]))
    # Every part is escaped, or one of the two tags.
    return mark_safe("".join(parts))  # noqa: S308


def snippet(text: str, terms: Set[str]) -> SafeString:
    """Return about `SNIPPET` characters around the first word that was found, else from the beginning, as HTML."""
    text = " ".join(text.split())
    first = next(_found(text, terms), None)
    start = 0
    if first is not None and first.end() > SNIPPET:
        start = text.rfind(" ", 0, max(first.start() - BEFORE, 0) + 1) + 1
    end = len(text)
    if end - start > SNIPPET:
        end = text.rfind(" ", start + SNIPPET // 2, start + SNIPPET)
        end = end if end > 0 else start + SNIPPET
    told = marked(text[start:end], terms)
    return mark_safe(("… " if start else "") + told + (" …" if end < len(text) else ""))  # noqa: S308


def _found(text: str, terms: Set[str]) -> Iterator[re.Match[str]]:
    """Yield the words of a text whose term or stem is one of `terms`; as many are looked at as are indexed."""
    if not terms:
        return
    for word in islice(_WORD.finditer(text), WORDS_OF_FIELD):
        plain = word.group().casefold()[:LONGEST]
        if plain not in STOP_WORDS and (term_of(plain) in terms or stem_of(plain) in terms):
            yield word
