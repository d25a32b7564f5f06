"""Phrases of spam in English and Mongolian, found in either script and any case."""

import re
from collections.abc import Sequence
from typing import Final

from embeddings.folding import folded

#: Of games for money; not of the buildings where some are played.
GAMBLING: Final = (
    "online casino", "live casino", "casino bonus", "free spins", "slot machine", "sports betting", "bet now",
    "1xbet", "melbet", "mostbet",
    "онлайн казино", "казино бонус", "слот тоглоом", "спортын бооцоо", "бооцоо тавь", "бооцоот тоглоом",
    "мөрийтэй тоглоом", "мөрий тавь",
)  # fmt: skip

#: Of loans that a bank would not offer in these words.
LOANS: Final = (
    "instant loan", "quick loan", "fast loan", "payday loan", "loan without collateral", "no credit check",
    "bad credit ok", "cash in 5 minutes",
    "шуурхай зээл", "хурдан зээл", "барьцаагүй зээл", "онлайн зээл авна", "хар жагсаалт хамаагүй", "5 минутад зээл",
)  # fmt: skip

#: Of promises that nobody can keep.
GUARANTEES: Final = (
    "100% guarantee", "100 percent guarantee", "100% risk free", "guaranteed profit", "guaranteed income",
    "risk-free profit", "get rich quick", "double your money", "earn money from home",
    "100% баталгаа", "100 хувь баталгаа", "баталгаатай ашиг", "баталгаатай орлого", "эрсдэлгүй ашиг",
    "гэрээсээ мөнгө ол", "мөнгөө хоёр дахин",
)  # fmt: skip


def first_of(phrases: Sequence[str], text: str) -> str | None:
    """Return the first of the phrases that the text holds, from the beginning of a word on: endings are free."""
    spelt = _spelt(text)
    return next((phrase for phrase in phrases if _spelt(phrase).rstrip() in spelt), None)


def _spelt(text: str) -> str:
    return " " + re.sub(r"\s+", " ", folded(text)).strip() + " "
