"""Hashed character n-grams of transliterated text: the half of a local vector that knows spelling.

"Хатгал", "Khatgal" and "Hatgal" are one name. Both scripts are brought to one coarse Latin spelling, and the text is
then counted as character n-grams in a fixed number of signed buckets (feature hashing, Weinberger et al. 2009). That
finds names, inflected words and words with a slip of the pen, and needs no model, no network and no state: the same
text has the same vector in every process and on every version of Python.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.folding import folded

#: Lengths of the n-grams, in characters. Two say too little about a word, six are mostly the word itself.
SIZES = (3, 4, 5)

_NEWLINE, _SPACE, _A, _Z = (ord(character) for character in "\n az")


def hashed(lines: Sequence[str], buckets: int) -> NDArray[np.float64]:
    """Count the n-grams of each line in signed buckets.

    `lines` hold no line breaks. Returns an array of shape (number of lines, `buckets`) of whole numbers, not
    normalised; a line without any character but white space and punctuation is counted with its punctuation, so that
    only a blank one comes out as zeros.
    """
    counts = _counts(folded(" \n ".join(lines)), len(lines), buckets)
    for index in np.flatnonzero(~counts.any(axis=1)).tolist():
        counts[index] = _counts(lines[index].casefold(), 1, buckets)[0]
    return counts


def _counts(text: str, lines: int, buckets: int) -> NDArray[np.float64]:
    """Hash every window of `SIZES` characters that stays within one of the `lines` lines of `text`."""
    characters = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)
    letter = (characters >= _A) & (characters <= _Z) | (characters == _SPACE)
    repeated = np.zeros(len(characters), dtype=bool)
    repeated[1:] = letter[1:] & (characters[1:] == characters[:-1])
    characters = characters[~repeated]
    line = np.cumsum(characters == _NEWLINE)
    cells: list[NDArray[np.int64]] = []
    signs: list[NDArray[np.uint32]] = []
    rolling = characters
    for size in range(2, SIZES[-1] + 1):
        rolling = rolling[:-1] * np.uint32(0x01000193) + characters[size - 1 :]
        if size not in SIZES or len(rolling) == 0:
            continue
        within = (line[: len(rolling)] == line[size - 1 :]) & (characters[: len(rolling)] != _NEWLINE)
        mixed = _mixed(rolling[within])
        cells.append(line[: len(rolling)][within] * buckets + ((mixed >> np.uint32(1)) % np.uint32(buckets)))
        signs.append(mixed & np.uint32(1))
    if not cells:
        return np.zeros((lines, buckets))
    weights = np.concatenate(signs).astype(np.float64) * 2 - 1
    counts: NDArray[np.float64] = np.bincount(np.concatenate(cells), weights, lines * buckets)  # type: ignore[assignment]
    return counts.reshape(lines, buckets)


def _mixed(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Spread every bit of a 32-bit number over all of them (the finaliser of MurmurHash3)."""
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return value ^ (value >> np.uint32(16))
