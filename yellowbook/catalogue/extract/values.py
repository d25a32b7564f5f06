"""Brings single values into the form that a business has them in. Takes anything; what makes no sense is empty."""

import html
import math
import re
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from yellowbook.catalogue.extract.item import LONGEST
from yellowbook.catalogue.extract.letters import normalised

#: Characters of a value that are looked at; anything longer is cut first.
MOST: Final = 100_000
_NOT_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAK: Final = re.compile(r"(?i)<(?:br|/p|/div|/li|/h[1-6]|/tr)\b[^<>]*>")
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_NUMBER: Final = re.compile(r"[-+]?\d{1,9}(?:[.,]\d{1,20})?")

#: Country code of Mongolia, and its numbers of eight digits: mobiles, and landlines of the new plan.
_COUNTRY: Final = "976"
_LOCAL_NUMBER: Final = re.compile(r"[5-9]\d{7}")
_BETWEEN_NUMBERS: Final = re.compile(r"[,;/|\n]|\bэсвэл\b|\bба\b|\bor\b")


def line(value: Any, field: str) -> str:
    """Return a text on one line, clean and within the field's length."""
    return _cut(" ".join(_plain(value).split()), LONGEST[field])


def paragraphs(value: Any, field: str) -> str:
    """Return a text that keeps its line feeds."""
    text = re.sub(r"\n{3,}", "\n\n", _plain(value))
    return _cut(text, LONGEST[field])


def _plain(value: Any) -> str:
    """Return text without markup, entities and control characters, in normal letters."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)[:MOST]
    if "&" in text:
        text = html.unescape(text)
    if "<" in text and _TAG.search(text):
        text = LexborHTMLParser(_BREAK.sub("\n", text)).text(separator="", skip_empty=False)
    return normalised(_NOT_TEXT.sub(" ", text.replace("\r\n", "\n")))


def _cut(text: str, most: int) -> str:
    """Return at most so many characters of a text, up to the end of a word where there is one in the last fifth."""
    if len(text) <= most:
        return text.strip()
    head = text[: most - 1]
    words = head.rpartition(" ")[0]
    return (words if len(words) > most * 4 // 5 else head).rstrip(" ,;-\n") + "…"


def phone(value: Any) -> str:
    """Return telephone numbers in one form, separated by commas: `+976 9911-2233` for a Mongolian one."""
    text = line(value, "description").removeprefix("tel:")
    numbers = [_number(part) for part in _BETWEEN_NUMBERS.split(text)]
    kept: list[str] = []
    for number in dict.fromkeys(filter(None, numbers)):
        if len(", ".join([*kept, number])) <= LONGEST["phone"]:
            kept.append(number)
    return ", ".join(kept)


def _number(text: str) -> str:
    text = text.strip().removeprefix("tel:")
    digits = re.sub(r"\D", "", text)
    if not 3 <= len(digits) <= 15:
        return ""
    abroad = text.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00") if abroad else digits
    local = digits.removeprefix(_COUNTRY) if len(digits) > 8 else digits
    if _LOCAL_NUMBER.fullmatch(local):
        return f"+{_COUNTRY} {local[:4]}-{local[4:]}"
    if abroad:
        return "+" + digits
    return re.sub(r"[^\d()+\- ]", "", text).strip()


def email(value: Any) -> str:
    """Return an email address, its host in lower case."""
    found = _EMAIL.search(line(value, "description")[:1000])
    if not found or len(found[0]) > LONGEST["email"]:
        return ""
    name, _, host = found[0].rpartition("@")
    return f"{name}@{host.lower()}"


def number(value: Any) -> float | None:
    """Return a finite number; a comma may stand for the decimal point."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            made = float(value)
        except OverflowError:
            return None
        return made if math.isfinite(made) else None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.strip().replace(",", "."))
    return None


def position(latitude: Any, longitude: Any) -> tuple[float, float] | None:
    """Return degrees north and east when both are there and on Earth. 0, 0 is what an empty form sends."""
    north, east = number(latitude), number(longitude)
    if north is None or east is None or not (-90 <= north <= 90 and -180 <= east <= 180) or north == east == 0:
        return None
    return north, east
