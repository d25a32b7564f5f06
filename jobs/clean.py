"""Removes secrets from text before it is stored, logged or shown, and clips it. Takes time linear in the text.

Two nets, since neither holds everything: the secrets that this process knows, in whatever form they come (`conceal`),
and what looks like a secret, by its own form or by the name in front of it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

#: Longest text that is kept, in characters, the note about what was left out included.
MAX_LENGTH: Final = 20_000

MASK: Final = "[secret]"

#: Characters that a secret has at least to be looked for by its value: a shorter one may be a word of ordinary text.
SHORTEST: Final = 12

_WORDS: Final = r"api[_-]?key|token|secret|passphrase|password|passwd|pwd|authorization|cookie|credentials?|sessionid"
_NAMES: Final = rf"{_WORDS}|key"
#: Between a name and its value: quotes, escaped any number of times, and what stands for "is".
_IS: Final = r"\\*[\"']?\s*(?:=>|[=:]|%3[ad])\s*"
_BYTES: Final = r"(?:b(?=[\"']))?"
_PATTERNS: Final = (
    (re.compile(r"AIza[0-9A-Za-z_\-]{8,}"), MASK),
    (re.compile(r"\b(?:AQ|ya29)\.[0-9A-Za-z_\-]{8,}"), MASK),
    (re.compile(r"\bsk-[0-9A-Za-z_\-]{8,}"), MASK),
    (re.compile(r"\beyJ[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]+\.[0-9A-Za-z_\-]*"), MASK),
    (re.compile(r"\bwhsec_[0-9A-Za-z+/=_\-]{8,}"), MASK),
    (re.compile(r"(?i)\b(bearer|token|basic)(\s+)[0-9A-Za-z._~+/=\-]{8,}"), rf"\1\2{MASK}"),
    # Between quotes, a value may hold any other sign.
    *(
        (re.compile(rf"(?i)((?:{_NAMES}){_IS}(?:[\[(]\s*)?{_BYTES}{mark})[^{mark}\n]{{4,}}"), rf"\1{MASK}")
        for mark in ("'", '"')
    ),
    # Headers as a list of pairs: `[(b'x-goog-api-key', b'...')]`.
    (re.compile(rf"(?i)((?:{_WORDS})[\"']\s*,\s*b?[\"'])[^\"'\n]{{4,}}"), rf"\1{MASK}"),
    (
        re.compile(rf"(?i)((?:{_NAMES}){_IS}(?:(?:bearer|basic)\s+)?{_BYTES}\\*[\"']?)[^\s\"'&,;)}}]{{4,}}"),
        rf"\1{MASK}",
    ),
    (re.compile(rf"(?i)(--(?:[a-z]+-)?(?:{_NAMES})\s+)[^\s\"',;)]{{4,}}"), rf"\1{MASK}"),
    # Passwords in URLs may hold any sign, `@` and `/` too: everything up to the last `@` of the word goes.
    (re.compile(r"(?i)(?<![a-z0-9+.\-])([a-z][a-z0-9+.\-]{0,30}://[^\s/:@]*):\S*@"), rf"\1:{MASK}@"),
)
_NAMED: Final = re.compile(rf"(?i){_WORDS}")

_LEFT_OUT: Final = "\n[... {} characters left out ...]\n"

_concealed: set[str] = set()
_known: re.Pattern[str] | None = None


def conceal(*secrets: str | None) -> None:
    """Have these very texts masked from now on, in this process: as they are, in URLs, in JSON, in Python's own form.

    Texts shorter than `SHORTEST` are left to the patterns.
    """
    global _known
    _concealed.update(form for secret in secrets if secret and len(secret) >= SHORTEST for form in _forms(secret))
    longest_first = sorted(_concealed, key=len, reverse=True)
    _known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret)
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]


def clean(text: str) -> str:
    """Return `text` without keys, tokens and passwords, as text that PostgreSQL can store, of at most `MAX_LENGTH`."""
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if _known is not None:
        text = _known.sub(MASK, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _clipped(text)


def clean_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told in a log, by name, without secrets however deep they are; what holds none stays as it is."""
    return {clean(str(name)): _clean_value(value, named=str(name)) for name, value in values.items()}


def _clean_value(value: Any, *, named: str = "") -> Any:
    """Clean one value; a text under the name of a secret is one."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return MASK if _NAMED.search(named) and value else clean(value)
    if isinstance(value, Mapping):
        return clean_values(value)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str | bytes):
        # A header, as many libraries keep it.
        name, told = (each.decode(errors="replace") if isinstance(each, bytes) else each for each in value)
        return [clean(name), _clean_value(told, named=name)]
    if isinstance(value, list | tuple):
        return [_clean_value(each, named=named) for each in value]
    shown = _shown(value)
    cleaned = MASK if _NAMED.search(named) else clean(shown)
    return value if cleaned == shown else cleaned


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        # Anybody's `__repr__` may fail; what is being logged must not fail with it.
        return f"<{type(value).__name__} that can't be shown>"


def _clipped(text: str) -> str:
    """Return the beginning and the end of a text that is too long, with a note between them."""
    if len(text) <= MAX_LENGTH:
        return text
    room = MAX_LENGTH - len(_LEFT_OUT.format(len(text)))
    beginning, end = room - room // 2, room // 2
    return text[:beginning] + _LEFT_OUT.format(len(text) - room) + text[-end:]
