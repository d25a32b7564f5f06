"""Reads JSON that people and templates broke: what a careful reader would still understand.

Comments, trailing, doubled and missing commas, line feeds and quotes inside strings, strings in single quotes, keys
without quotes, CDATA and HTML comments around everything, assignments to a variable, several values in a row, an end
that is missing. Each step moves forward, so time is linear in the text.
"""

import json
import re
from typing import Any, Final

#: Characters that are read. Blocks of real pages have a few kilobytes.
LONGEST: Final = 1_000_000
#: Levels of lists and objects; deeper ones are read as null.
DEEPEST: Final = 60

_BLANK: Final = re.compile(r"(?:[\s\ufeff\u200b]++|//[^\n]*+|/\*.*?(?:\*/|\Z)|<!--|-->|<!\[CDATA\[|\]\]>)++", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,3})?")
_BARE: Final = re.compile(r"[^\s,:{}\[\]\"']+")
_ASSIGNED: Final = re.compile(r"(?:(?:var|let|const)\s+)?[\w.$\[\]\"']{1,100}\s*=\s*(?=[{\[])")
_CONSTANTS: Final = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\n": ""}
_HEX: Final = re.compile(r"[0-9a-fA-F]{4}")
#: What may follow a string's last quote. Any other quote belongs to the text: `"name": "Ресторан "Хаан""`.
_CLOSES: Final = re.compile(
    r"\s*+(?:[:}\]]|\Z|//|/\*|,\s*+(?:[\"'{\[}\],/]|-?\d|true\b|false\b|null\b|\Z|[\w@$]++\s*+:))"
    # A comma forgotten at the end of a line.
    r"|[^\S\n]*+\n\s*+\""
)
#: An escaped quote that is more likely the last one, after a text that ends in a backslash.
_NEXT_KEY: Final = re.compile(r"\"\s*+,\s*+\"[\w@:]++\"\s*+:")


class Unreadable(ValueError):
    """There is nothing in the text that could be JSON."""


def read_all(text: str) -> tuple[list[Any], bool]:
    """Return the values in `text`, and whether they had to be repaired. Raises `Unreadable` when there are none."""
    try:
        return [json.loads(text, parse_constant=lambda name: None)], False
    except (ValueError, RecursionError):
        pass
    values = _Reader(text[:LONGEST]).values()
    if not values:
        raise Unreadable("there is no object in it")
    return values, True


class _Reader:
    """A reader that goes on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def values(self) -> list[Any]:
        """Return the objects and lists on the outermost level."""
        found = []
        while (sign := self._peek()) is not None:
            if sign in "{[":
                found.append(self._value(0))
            elif assigned := _ASSIGNED.match(self._text, self._at):
                self._at = assigned.end()
            else:
                bare = _BARE.match(self._text, self._at)
                self._at = bare.end() if bare else self._at + 1
        return [value for value in found if value]

    def _peek(self) -> str | None:
        """Return the next sign that means something, standing at it; None at the end."""
        blank = _BLANK.match(self._text, self._at)
        if blank:
            self._at = blank.end()
        return self._text[self._at] if self._at < len(self._text) else None

    def _value(self, depth: int) -> Any:
        sign = self._peek()
        if depth >= DEEPEST and sign in ("{", "["):
            self._at += 1
            return None
        if sign == "{":
            return self._object(depth + 1)
        if sign == "[":
            return self._list(depth + 1)
        if sign in ('"', "'"):
            return self._string(sign)
        number = _NUMBER.match(self._text, self._at)
        bare = _BARE.match(self._text, self._at)
        if number and (bare is None or bare.end() == number.end()):
            self._at = number.end()
            return json.loads(number[0]) if not re.match(r"-?0\d", number[0]) else number[0]
        if bare:
            self._at = bare.end()
            word = bare[0].rstrip(";")
            return _CONSTANTS.get(word, word)
        self._at += 1
        return None

    def _object(self, depth: int) -> dict[str, Any]:
        self._at += 1
        made: dict[str, Any] = {}
        while (sign := self._peek()) is not None and sign != "}":
            if sign in ",;:":
                self._at += 1
                continue
            if sign == "]":
                # The object was not closed before its list is.
                return made
            before = self._at
            key = self._string(sign) if sign in "\"'" else self._value(depth) if sign in "{[" else self._bare()
            if self._peek() == ":":
                self._at += 1
                value = self._value(depth) if self._peek() not in (",", "}", None) else None
                if isinstance(key, str):
                    made[key] = value
            if self._at == before:
                self._at += 1
        self._at += 1
        return made

    def _list(self, depth: int) -> list[Any]:
        self._at += 1
        made: list[Any] = []
        while (sign := self._peek()) is not None and sign != "]":
            if sign in ",;:":
                self._at += 1
                continue
            if sign == "}":
                return made
            made.append(self._value(depth))
        self._at += 1
        return made

    def _bare(self) -> str:
        found = _BARE.match(self._text, self._at)
        self._at = found.end() if found else self._at + 1
        return found[0] if found else ""

    def _string(self, quote: str) -> str:
        text, start = self._text, self._at + 1
        parts: list[str] = []
        sought = re.compile(rf"[{quote}\\]")
        at = start
        while found := sought.search(text, at):
            parts.append(text[at : found.start()])
            at = found.end()
            if found[0] == "\\" and _NEXT_KEY.match(text, at):
                # `"C:\\", "name": ...`: the backslash is text, the quote is the last one.
                self._at = at + 1
                return _joined([*parts, "\\"])
            if found[0] == "\\":
                piece, at = self._escaped(at)
                parts.append(piece)
            elif _CLOSES.match(text, at):
                self._at = at
                return _joined(parts)
            else:
                parts.append(quote)
        parts.append(text[at:])
        self._at = len(text)
        return _joined(parts)

    def _escaped(self, at: int) -> tuple[str, int]:
        """Return what stands for an escape sequence, and where the text goes on."""
        sign = self._text[at : at + 1]
        if sign == "u":
            digits = _HEX.match(self._text, at + 1)
            return (chr(int(digits[0], 16)), at + 5) if digits else ("", at + 1)
        return _ESCAPES.get(sign, sign), at + 1


def _joined(parts: list[str]) -> str:
    """Return the text, its surrogate pairs as the characters that they make."""
    return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
