"""Cards: one number each, with its target and its trend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.dashboard.look import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a card shows."""

    value: str
    #: One line about it, e.g. the age of the oldest.
    detail: str = ""
    #: When it was read, where that is not this moment.
    read_at: datetime | None = None
    #: What it should be, in words.
    target: str = ""
    #: Whether it misses its target.
    bad: bool = False
    #: Its course over the last hour, oldest first, for a small line; None: not known.
    trend: Sequence[float | None] = ()
    #: Where to see more.
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A number that tells how it goes."""

    name: str
    title: str
    #: Cards stand in this order.
    order: int
    #: Returns None where there is nothing to show.
    read: Callable[[Look], Reading | None]


_cards: dict[str, Card] = {}


def register_card(card: Card) -> Card:
    """Make a card known; names are unique."""
    if _cards.setdefault(card.name, card) is not card:
        raise ValueError(f"a card named {card.name!r} is already declared")
    return card


def all_cards() -> list[Card]:
    """Return every card, in order."""
    return sorted(_cards.values(), key=lambda card: (card.order, card.name))
