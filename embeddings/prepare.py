"""Makes a text fit to be sent: refuses what no model accepts, cuts what no model would read to its end."""

import re
from dataclasses import dataclass

from jobs.errors import InvalidInput

#: Characters per token, at the least favourable: Cyrillic takes about 2 characters a token, English about 4.
CHARACTERS_PER_TOKEN = 2.0


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
    """Fold white space and cut the text to `max_tokens` on a word boundary.

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
    cut = folded[:limit]
    boundary = max(cut.rfind(" "), cut.rfind("\n"))
    return Prepared((cut[:boundary] if boundary > limit // 2 else cut).rstrip(), truncated=True)
