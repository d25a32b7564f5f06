"""Makes a text fit to be sent: refuses what no model accepts, cuts what no model would read to its end."""

import re
import unicodedata
from dataclasses import dataclass

from jobs.errors import InvalidInput

#: Characters per token, at the least favourable: Cyrillic takes about 2 characters a token, English about 4.
CHARACTERS_PER_TOKEN = 2.0

#: Code points of the longest character that is kept whole where a text without spaces is cut: a family has seven.
LONGEST_CHARACTER = 32

_ZERO_WIDTH_JOINER = "\u200d"
_SKIN_TONES = "".join(map(chr, range(0x1F3FB, 0x1F400)))
#: Two of them make a flag.
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text ready to be sent, and whether it had to be cut."""

    text: str
    truncated: bool

    @property
    def tokens(self) -> int:
        """The tokens that it takes at most, estimated."""
        return int(len(self.text) / CHARACTERS_PER_TOKEN) + 1


def prepare(text: str, *, max_tokens: int) -> Prepared:
    """Fold white space and cut the text to `max_tokens` on a word boundary, an endless word between two characters.

    Raises `InvalidInput` for a text that is empty or holds what is not text (lone surrogates, NUL bytes).
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(
            "The text holds half a character (a lone surrogate): enter the name and text anew."
        ) from None
    if "\x00" in text:
        raise InvalidInput("The text holds a NUL byte: enter the name and text anew.")
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    folded = "\n".join(line for line in lines if line)
    if not folded:
        raise InvalidInput("There is no text to embed: fill in a name, category, description or address.")
    limit = int(max_tokens * CHARACTERS_PER_TOKEN)
    if len(folded) <= limit:
        return Prepared(folded, truncated=False)
    return Prepared(folded[: _boundary(folded, limit)].rstrip(), truncated=True)


def _boundary(text: str, limit: int) -> int:
    """Return where to cut a text of more than `limit` characters: after a word or, in an endless one, a character."""
    word = max(text.rfind(" ", 0, limit + 1), text.rfind("\n", 0, limit + 1))
    if word > limit // 2:
        return word
    for end in range(limit, max(limit // 2, limit - LONGEST_CHARACTER), -1):
        if not _joined(text, end):
            return end
    return limit


def _joined(text: str, end: int) -> bool:
    """Tell whether what people see as one character goes on at `end`: accents, emoji of several parts, flags."""
    before, after = text[end - 1], text[end]
    if _ZERO_WIDTH_JOINER in (before, after) or unicodedata.category(after).startswith("M") or after in _SKIN_TONES:
        return True
    letters = len(text[:end]) - len(text[:end].rstrip(_FLAG_LETTERS)) if after in _FLAG_LETTERS else 0
    return letters % 2 == 1
