"""Opening hours in one form, {"mo": [["09:00", "18:00"]], ...}, and reading them out of a text.

A day that has no entry is closed. What closes before it opens closes on the next day; the whole day is 00:00 to 24:00.
"""

import re
from collections.abc import Iterable
from typing import Final

#: Names of days, in their order.
DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
#: Spans of a day that are kept.
MOST_SPANS: Final = 4

Hours = dict[str, list[list[str]]]

_TIME: Final = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)")

#: The names of days, and how the beginnings of words tell them.
_MONGOLIAN: Final = ("даваа", "мягмар", "лхагва", "пүрэв", "баасан", "бямба", "ням")
_ENGLISH: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
_DAY_OF: Final = dict(zip((*_MONGOLIAN, *_ENGLISH), DAYS * 2, strict=True))
_LONG: Final = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?|mo|tu|we|th|fr|sa|su"
#: A Mongolian name may have an ending; an English one ends there.
_DAY: Final = rf"(?:(?:{'|'.join(_MONGOLIAN)})\w*|(?:{_LONG})\b)\.?"
#: "From Monday on", in one word.
_FROM: Final = re.compile(rf"\b({'|'.join(_MONGOLIAN)})\w*(?:аас|ээс|оос|өөс)\s+", re.IGNORECASE)
_TO: Final = r"\s*(?:-|–|—|to|until|till|хүртэл)\s*"
_EVERY_DAY: Final = r"every\s*day|daily|өдөр\s+бүр|өдөр\s+болгон"
_SPAN: Final = r"(\d{1,2}[:.]\d\d)" + _TO + r"(\d{1,2}[:.]\d\d)"
_RANGE: Final = rf"{_DAY}(?:{_TO}{_DAY}|(?:\s*(?:,|&|and|ба|болон)\s*{_DAY})+)?"
_ENTRY: Final = re.compile(rf"\b({_EVERY_DAY}|{_RANGE})\s*:?\s*(?:(?:гараг\w*|хүртэл)\s*)*{_SPAN}", re.IGNORECASE)
_ALWAYS: Final = re.compile(r"\b24\s*/\s*7\b|\b24\s+(?:hours|цаг(?:аар)?)\b|\b24h\b", re.IGNORECASE)
_ONE_DAY: Final = re.compile(_DAY, re.IGNORECASE)


def normalised(spans: Iterable[tuple[Iterable[str], str, str]]) -> Hours | None:
    """Return the hours of (days, opens, closes); what is no day or no time is left out, None where nothing is left."""
    found: dict[str, list[list[str]]] = {}
    for days, opens, closes in spans:
        span = _span(opens, closes)
        for day in days:
            of_day = found.setdefault(day, []) if span and day in DAYS else None
            if of_day is not None and span and span not in of_day:
                of_day.append(span)
    return {day: sorted(found[day])[:MOST_SPANS] for day in DAYS if day in found} or None


def read_hours(text: str) -> Hours | None:
    """Return the hours that a text tells, as in "Mon-Fri 9:00-18:00", "Даваа-Баасан 09:00-18:00" or "24/7".

    Only what names its days counts: a time by itself may be that of a show. None where nothing is told.
    """
    entries = _ENTRY.findall(_FROM.sub(r"\1 - ", text))
    spans = [(_days(told), opens, closes) for told, opens, closes in entries]
    if not spans and _ALWAYS.search(text):
        return normalised([(DAYS, "00:00", "24:00")])
    return normalised(spans)


def _span(opens: str, closes: str) -> list[str] | None:
    begin, end = _time(opens), _time(closes)
    if begin is None or end is None or begin == end or begin == "24:00":
        return None
    return [begin, end]


def _time(text: str) -> str | None:
    match = _TIME.fullmatch(text.strip())
    if match is None or (match[1] == "24" and match[2] != "00"):
        return None
    return f"{int(match[1]):02}:{match[2]}"


def _days(told: str) -> tuple[str, ...]:
    if re.fullmatch(_EVERY_DAY, told, re.IGNORECASE):
        return DAYS
    named = [_day(each) for each in _ONE_DAY.findall(told)]
    if len(named) != 2 or re.search(r",|&|\band\b|\bба\b|\bболон\b", told, re.IGNORECASE):
        return tuple(named)
    first, last = DAYS.index(named[0]), DAYS.index(named[1])
    return DAYS[first : last + 1] if first <= last else (*DAYS[first:], *DAYS[: last + 1])


def _day(word: str) -> str:
    lower = word.casefold()
    return next(day for name, day in _DAY_OF.items() if lower.startswith(name))
