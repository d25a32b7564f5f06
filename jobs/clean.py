"""Removes secrets from text before it is stored, logged or shown, and clips it."""

import re
from typing import Final

#: Longest error text that is kept, in characters.
MAX_LENGTH: Final = 20_000

MASK: Final = "[secret]"

_PATTERNS: Final = (
    (re.compile(r"AIza[0-9A-Za-z_\-]{8,}"), MASK),
    (re.compile(r"\bsk-[0-9A-Za-z_\-]{8,}"), MASK),
    (re.compile(r"(?i)\b(bearer|token)(\s+)[0-9A-Za-z._~+/=\-]{8,}"), rf"\1\2{MASK}"),
    (
        re.compile(
            r"(?i)((?:api[_-]?key|x-goog-api-key|key|token|secret|password|passwd)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;)}]{4,}"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)([a-z][a-z0-9+.\-]*://[^\s/:@]*):[^\s/@]+@"), rf"\1:{MASK}@"),
)


def clean(text: str) -> str:
    """Return `text` without keys, tokens and passwords, without NUL bytes, and at most `MAX_LENGTH` long."""
    text = text.replace("\x00", "")
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    if len(text) > MAX_LENGTH:
        half = MAX_LENGTH // 2
        text = f"{text[:half]}\n[... {len(text) - MAX_LENGTH} characters left out ...]\n{text[-half:]}"
    return text.encode("utf-8", "replace").decode("utf-8")
