"""Price ranges as people write them, as a level from 1 (cheap) to 4 (expensive)."""

import re
from typing import Any, Final

from yellowbook.catalogue.extract.values import line

#: Most that a level costs a person, in tögrög; beyond the last it is 4. A judgement, made for a meal in Ulaanbaatar.
TOGROG: Final = (20_000, 50_000, 120_000)
#: The same in US dollars and in euros, whose difference does not matter here.
DOLLARS: Final = (8, 20, 50)
_SIGNS: Final = "$€£¥₮₩₽₸฿₺₹"
_SYMBOLS: Final = re.compile(rf"([{_SIGNS}])\1{{0,9}}")
_AMOUNT: Final = re.compile(r"\d{1,3}(?:[ ,.'\u00a0]\d{3})+(?!\d)|\d{1,9}")
_THOUSANDS: Final = re.compile(r"(\d{1,6})\s?(?:k|к|мянга|мянган)\b", re.IGNORECASE)
_TOGROG: Final = re.compile(r"₮|төг|mnt|tug", re.IGNORECASE)
_DOLLARS: Final = re.compile(r"[$€]|usd|eur", re.IGNORECASE)
#: A bare number from here on is taken for tögrög: nothing costs less than this many of them.
_SURELY_TOGROG: Final = 500
_WORDS: Final = (
    (1, ("inexpensive", "cheap", "budget", "low", "хямд")),
    (4, ("very expensive", "luxury", "тансаг", "маш үнэтэй")),
    (2, ("moderate", "medium", "mid", "дунд")),
    (3, ("expensive", "high", "үнэтэй", "өндөр")),
)


def price_level(value: Any) -> int | None:
    """Return the level of `$$`, `₮₮`, `10000-20000`, `$15 - $25`, `moderate` or `2`; None for what says no price."""
    text = line(value, "description")[:200].strip().lower()
    if not text:
        return None
    signs = text.replace(" ", "")
    if _SYMBOLS.fullmatch(signs):
        return min(len(signs), 4)
    if text in ("1", "2", "3", "4"):
        return int(text)
    spans = re.findall(rf"[{re.escape(_SIGNS)}]+", text)
    if len(spans) == 2 and re.sub(rf"[{re.escape(_SIGNS)}]", "", text).strip() in ("-", "–", "—", "to"):
        # "$$ - $$$": the middle, rounded down.
        return min((len(spans[0]) + len(spans[1])) // 2, 4)
    text = _THOUSANDS.sub(lambda found: found[1] + "000", text)
    amounts = [float(re.sub(r"\D", "", found)) for found in _AMOUNT.findall(text)]
    if amounts:
        return level_of(sum(amounts[:2]) / len(amounts[:2]), text)
    return next((level for level, words in _WORDS if any(word in text for word in words)), None)


def level_of(amount: float, currency: str) -> int | None:
    """Return the level of an amount; `currency` is a text that names it. None for one that we have no bounds for."""
    if amount <= 0:
        return None
    if _TOGROG.search(currency):
        bounds = TOGROG
    elif _DOLLARS.search(currency):
        bounds = DOLLARS
    elif amount >= _SURELY_TOGROG and not re.search(r"[a-z£¥₩₽₸฿₺₹]", currency):
        bounds = TOGROG
    else:
        return None
    return 1 + sum(amount > bound for bound in bounds)
