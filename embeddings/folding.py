"""One coarse Latin spelling for texts in Cyrillic and in Latin letters, to compare them by.

"Хатгал", "Khatgal" and "Hatgal" are one name. What is folded is for comparison only, and never shown.
"""

import string
import unicodedata

#: Mongolian Cyrillic, with the letters of Russian and Kazakh names. The romanisation is the usual one, but coarser:
#: letters that people write in several ways (ө as u, o, ö; х as kh, h) get one Latin letter, and so does the Latin.
_CYRILLIC = {
    **dict(zip("абвгдежзийклмнопрстуфхыэіәғқңұһөү", "abvgdejziiklmnoprstufhieiagknuhuu", strict=True)),
    **dict(zip("ёцчшщъьюя", ("io", "ts", "ch", "sh", "sh", "", "i", "iu", "ia"), strict=True)),
}

#: To one spelling, character by character: Cyrillic to Latin, umlauts like ө and ү, punctuation to a space.
_CHARACTERS = str.maketrans(
    {**dict.fromkeys(string.punctuation + "«»“”„‘’‚–—·•№…", " "), **_CYRILLIC, "ö": "u", "ü": "u"}
)

#: Then Latin spellings of one sound, in this order. `4` keeps `ch` from the rules for `c`.
_SPELLINGS = (
    ("kh", "h"), ("zh", "j"), ("tz", "ts"), ("ph", "f"), ("y", "i"), ("w", "v"), ("q", "k"), ("x", "ks"),
    ("ch", "4"), ("ce", "se"), ("ci", "si"), ("c", "k"), ("4", "ch"), ("o", "u"),
)  # fmt: skip


def folded(text: str) -> str:
    """Bring text of either script to one coarse spelling, for comparison only: "Хөвсгөл" and "Khövsgöl" come out alike.

    Lines stay lines; runs of a letter or of spaces are left for `hashed` to squeeze.
    """
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_CHARACTERS)
        if not text.isascii():
            decomposed = unicodedata.normalize("NFKD", text)
            text = "".join(character for character in decomposed if not unicodedata.combining(character))
    else:
        text = text.translate(_CHARACTERS)
    for spelling, sound in _SPELLINGS:
        text = text.replace(spelling, sound)
    return text
