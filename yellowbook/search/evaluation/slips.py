"""Names with a slip of the pen: one letter left out, doubled, exchanged, or swapped with the next."""

import random
from collections.abc import Collection, Iterator
from typing import Final

#: Names that are tried, and letters that a name has at least.
NAMES: Final = 300
SHORTEST: Final = 5

_LATIN: Final = "abcdefghijklmnopqrstuvwxyz"
_CYRILLIC: Final = "абвгдеёжзийклмноөпрстуүфхцчшщъыьэюя"


def slipped(names: Collection[str], *, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Yield up to `NAMES` of the names, each with what somebody typed who meant it; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311
    chosen = sorted({name for name in names if sum(map(str.isalpha, name)) >= SHORTEST})
    chance.shuffle(chosen)
    for name in chosen[:NAMES]:
        yield name, _slip(name, chance)


def _slip(name: str, chance: random.Random) -> str:
    # Not the first letter: people get that one right.
    letters = [place for place, letter in enumerate(name) if place and letter.isalpha()]
    while True:
        place = chance.choice(letters)
        before, letter, after = name[:place], name[place], name[place + 1 :]
        alphabet = _LATIN if letter.isascii() else _CYRILLIC
        typed = chance.choice(
            (
                before + after,
                before + letter + letter + after,
                before + chance.choice(alphabet) + after,
                before + after[:1] + letter + after[1:],
            )
        )
        if typed.casefold() != name.casefold():
            return typed
