"""Look-alike letters in Mongolian text: what was typed on a Latin, Greek or Ukrainian key becomes what is meant.

People who lack a Mongolian layout write Ө as Latin O, Θ or Ukrainian Є, Ү as Latin V or Ukrainian Ї, and mix in the
Latin twins of А, Е, О, Р, С, Х. To a reader the word is right; to search and to comparison it is another word. The
Ukrainian letters stem from fonts of the Windows-1251 days that drew Ө and Ү in their places.

Kazakh letters (ә ғ қ ң ұ һ і) are left alone: names from Bayan-Ölgii are spelled with them.
"""

import re
import unicodedata
from typing import Final

#: Latin letters and the Cyrillic ones that look the same in print. Cases differ: B is a twin of В, b of none.
_LATIN: Final = dict(zip("ABCEHKMOPTXYVaceokmtpxyv", "АВСЕНКМОРТХУҮасеокмтрхуү", strict=True))
#: The Latin letters that stand for a vowel of either row: (back, front) by vowel harmony.
_HARMONY: Final = {"O": "ОӨ", "o": "оө", "Y": "УҮ", "y": "уү"}
#: Other letters for Cyrillic ones, wherever a word is Cyrillic: accented and African Latin, Greek, archaic Cyrillic.
_OTHERS: Final = {
    **dict(zip("ÖöÜüØøɵƟËë", "ӨөҮүӨөөӨЁё", strict=True)),
    **dict(zip("ΑΒΕΗΚΜΟΡΤΧΥΘϴαεκορχυνθ", "АВЕНКМОРТХҮӨӨаекорхүүө", strict=True)),
    **dict(zip("ЄєЇїѲѳ", "ӨөҮүӨө", strict=True)),
}
#: Letters of Cyrillic that stand for Mongolian ones even in a word without a foreign letter.
_ARCHAIC: Final = {letter: _OTHERS[letter] for letter in "ЄєЇїѲѳ"}
#: Cyrillic letters as the Latin ones they look like, for a Latin word with a few of them. Never Ү: V was a stopgap.
_CYRILLIC: Final = {cyrillic: latin for latin, cyrillic in _LATIN.items() if latin not in "Vv"}
#: Ukrainian for certain: such text keeps its Є and Ї.
_UKRAINIAN: Final = re.compile("[ІіҐґ]")
#: Vowels by row. И is neutral, and й, ы, е, ё, ю, я say too little.
_BACK, _FRONT = frozenset("АОУаоу"), frozenset("ЭӨҮэөү")

#: Case endings of one letter. Any other single letter at the end of a Latin word is a slip of the keyboard.
_SHORT_ENDINGS: Final = frozenset("дтгнДТГН")

#: Letters with what is set on top of them.
_WORD: Final = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+")
#: Characters without width: soft hyphen, zero-width spaces and joiners, direction marks, byte order mark.
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
#: The vertical script, which needs its joiners.
_VERTICAL: Final = re.compile("[\u1800-\u18af]")
_SPACES: Final = re.compile(r"[^\S\n]+")


def normalised(text: str) -> str:
    """Return `text` in NFC, its words in one alphabet each, without invisible characters, runs of spaces as one space.

    Line feeds stay, other white space becomes a space. Text in ASCII changes in its spaces only. Doing it twice changes
    nothing more.
    """
    text = unicodedata.normalize("NFC", text)
    if not _VERTICAL.search(text):
        text = _INVISIBLE.sub("", text)
    text = one_alphabet(text)
    return "\n".join(line.strip() for line in _SPACES.sub(" ", text.replace("\r\n", "\n")).split("\n")).strip()


def one_alphabet(text: str) -> str:
    """Return `text` with every mixed word in the alphabet that it is meant in; both are in NFC."""
    if text.isascii():
        return text
    archaic = {} if _UKRAINIAN.search(text) else _ARCHAIC
    return unicodedata.normalize("NFC", _WORD.sub(lambda found: _word(found[0], archaic), text))


def _word(word: str, archaic: dict[str, str]) -> str:
    cyrillic = sum(map(_is_cyrillic, word))
    if not cyrillic:
        return word
    foreign = sum(1 for letter in word if letter in _LATIN or (letter in _OTHERS and letter not in _ARCHAIC))
    latin = sum(map(_is_latin, word))
    if not foreign and not latin:
        return "".join(archaic.get(letter, letter) for letter in word)
    #: Letters that only one of the alphabets has say which is meant.
    surely_cyrillic = sum(1 for letter in word if _is_cyrillic(letter) and letter not in _CYRILLIC)
    surely_latin = sum(1 for letter in word if _is_latin(letter) and letter not in _LATIN and letter not in _OTHERS)
    if surely_latin and _is_stem_with_ending(word):
        # "Googleээс", "BARаас": a foreign name with a Mongolian case ending, each in its own alphabet.
        return word
    if surely_latin > surely_cyrillic or (not surely_cyrillic and latin > cyrillic and surely_latin):
        return "".join(_CYRILLIC.get(letter, letter) for letter in word)
    if surely_latin == surely_cyrillic and surely_latin:
        return word
    return _to_cyrillic(word, archaic)


def _to_cyrillic(word: str, archaic: dict[str, str]) -> str:
    """Return the word in Cyrillic; o and y become ө and ү where the other vowels are all of the front row."""
    made = [letter if letter in _HARMONY else _LATIN.get(letter, letter) for letter in word]
    made = [archaic.get(letter, letter) if letter in _ARCHAIC else _OTHERS.get(letter, letter) for letter in made]
    front = any(letter in _FRONT for letter in made) and not any(letter in _BACK for letter in made)
    return "".join(_HARMONY[letter][front] if letter in _HARMONY else letter for letter in made)


def _is_stem_with_ending(word: str) -> bool:
    """Tell whether a word is two or more letters that are not Cyrillic and then an ending that is."""
    stem = next(place for place, letter in enumerate(word) if _is_cyrillic(letter))
    ending = word[stem:]
    return stem >= 2 and all(map(_is_cyrillic, ending)) and (len(ending) > 1 or ending in _SHORT_ENDINGS)


def _is_cyrillic(letter: str) -> bool:
    return "\u0400" <= letter <= "\u052f"


def _is_latin(letter: str) -> bool:
    return letter.isalpha() and (letter < "\u0250" or (letter in _OTHERS and letter < "\u0370"))
