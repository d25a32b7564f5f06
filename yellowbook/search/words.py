"""From text to terms: what words are compared as, in Mongolian and English, in Cyrillic and Latin letters.

A term is a word in one coarse Latin spelling (`embeddings.folding`), without doubled letters, so that "Хатгал",
"Khatgal" and "Hatgal" are one term. Texts are indexed under the terms of their words and of the words' stems, queries
look for either: "рестораны" finds "ресторан", and a stem that was cut wrongly costs nothing but a second entry.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import Stemmer

from embeddings.folding import folded

#: Longest word that is looked at, in characters; and fewest letters that a stem keeps.
LONGEST, SHORTEST_STEM = 40, 3
#: Longest term, in characters; single characters of some scripts fold into many.
LONGEST_TERM: Final = 80
#: Letters that a term has at least to be looked for with a slip of the pen; with less, everything is alike.
FUZZY_FROM = 4
#: Words whose term is remembered, and those whose stem is; a quarter of a kilobyte each.
REMEMBERED: Final = 10_000

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_REPEATED = re.compile(r"([a-z])\1+")
_NOT_KEPT = re.compile(r"[\W_]+")

_ENGLISH_STOP_WORDS = """
a about all an and any are as at be best by can do does find for from get good have how i in into is it looking me my
near nearby need of on or our place places please some somewhere that the their there this to want we what where which
who with you your
"""
_MONGOLIAN_STOP_WORDS = """
ба бас бол болон байна байгаа би бид вэ дахь дээр доторх газар гэх гэж ийн миний минь манай надад нь нэг ойролцоо
ойрхон руу рүү сайн сайхан тань та танай тухай үү уу хаана хамгийн хэрэгтэй хүсч ч юу юм ямар энэ
"""
#: Words that say nothing about a business: English ones of the Snowball project's list that occur in queries, and
#: Mongolian particles, postpositions and pronouns.
STOP_WORDS: Final = frozenset((_ENGLISH_STOP_WORDS + _MONGOLIAN_STOP_WORDS).split())

_ENDINGS = """
ийнхан ынхан уудын үүдийн ууд үүд нууд нүүд ийн ын ийг ыг аас ээс оос өөс аар ээр оор өөр тай тэй той даа дээ доо дөө
руу рүү луу лүү ны ний н д т
"""
#: Endings of Mongolian nouns, the longest first: case, number and possession (vowel harmony gives each its forms).
_SUFFIXES: Final = tuple(sorted(_ENDINGS.split(), key=len, reverse=True))
_english = Stemmer.Stemmer("english", 0)


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters, without what is between them."""
    for found in _WORD.findall(text.casefold()):
        yield found[:LONGEST]


@lru_cache(maxsize=REMEMBERED)
def term_of(word: str) -> str:
    """Return the term of a word; empty for one without letters or digits that can be compared."""
    return _REPEATED.sub(r"\1", _NOT_KEPT.sub("", folded(word)))[:LONGEST_TERM]


@lru_cache(maxsize=REMEMBERED)
def stem_of(word: str) -> str:
    """Return the term of a word's stem: by Snowball in English, by cutting one noun ending off in Mongolian."""
    if not _CYRILLIC.search(word):
        return term_of(str(_english.stemWord(word)))
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= SHORTEST_STEM:
            return term_of(word[: -len(suffix)])
    return term_of(word)


def terms_of(text: str) -> list[tuple[str, str]]:
    """Return the term and the stem of each word of a text, in order; stop words and what can't be compared left out."""
    pairs = [(term_of(word), stem_of(word)) for word in words_of(text) if word not in STOP_WORDS]
    return [(term, stem or term) for term, stem in pairs if term]


def slips_of(term: str) -> list[str]:
    """Return the keys under which terms meet that are one slip of the pen apart: the term, and it less one letter each.

    Two terms that share a key differ by at most one letter left out, put in, exchanged, or by two neighbours swapped
    (symmetric deletion, W. Garbe 2012), or by two such deletions in different places.
    """
    if len(term) < FUZZY_FROM or term.isdigit():
        return [term]
    return [term, *dict.fromkeys(term[:place] + term[place + 1 :] for place in range(len(term)))]


def distance(one: str, other: str) -> int:
    """Return the letters to be left out, put in, exchanged or swapped with a neighbour (Damerau and Levenshtein)."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, opposite in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != opposite))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == opposite:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]
