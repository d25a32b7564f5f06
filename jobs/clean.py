"""Removes secrets from text before it is stored, logged or shown, and clips it. Takes time linear in the text."""

import re
from typing import Final

#: Longest text that is kept, in characters, the note about what was left out included.
MAX_LENGTH: Final = 20_000

MASK: Final = "[secret]"

_NAMES: Final = r"api[_-]?key|x-goog-api-key|key|token|secret|passphrase|password|passwd|pwd"
_PATTERNS: Final = (
    (re.compile(r"AIza[0-9A-Za-z_\-]{8,}"), MASK),
    (re.compile(r"\bsk-[0-9A-Za-z_\-]{8,}"), MASK),
    (re.compile(r"\bwhsec_[0-9A-Za-z+/=_\-]{8,}"), MASK),
    (re.compile(r"(?i)\b(bearer|token|basic)(\s+)[0-9A-Za-z._~+/=\-]{8,}"), rf"\1\2{MASK}"),
    (re.compile(rf"(?i)((?:{_NAMES})[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;)}}]{{4,}}"), rf"\1{MASK}"),
    # Passwords in URLs may hold any sign, `@` and `/` too: everything up to the last `@` of the word goes.
    (re.compile(r"(?i)(?<![a-z0-9+.\-])([a-z][a-z0-9+.\-]{0,30}://[^\s/:@]*):\S*@"), rf"\1:{MASK}@"),
)

_LEFT_OUT: Final = "\n[... {} characters left out ...]\n"


def clean(text: str) -> str:
    """Return `text` without keys, tokens and passwords, as text that PostgreSQL can store, of at most `MAX_LENGTH`."""
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _clipped(text)


def _clipped(text: str) -> str:
    """Return the beginning and the end of a text that is too long, with a note between them."""
    if len(text) <= MAX_LENGTH:
        return text
    room = MAX_LENGTH - len(_LEFT_OUT.format(len(text)))
    beginning, end = room - room // 2, room // 2
    return text[:beginning] + _LEFT_OUT.format(len(text) - room) + text[-end:]
