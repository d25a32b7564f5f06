"""Rules about how a listing speaks. They flag rather than reject: a rule does not understand what it reads."""

import re
import unicodedata
from collections import Counter
from typing import Final
from urllib.parse import urlsplit

from yellowbook.catalogue.quality.listing import Candidate
from yellowbook.catalogue.quality.phrases import GAMBLING, GUARANTEES, LOANS, first_of
from yellowbook.catalogue.quality.registry import rule
from yellowbook.catalogue.quality.verdict import Decision

#: Letters from which on capitals are shouting, not an abbreviation; and their share.
SHOUTED_LETTERS: Final = 20
SHOUTED_SHARE: Final = 0.6
#: How often a word stands in a text before it is repeated, and its share of the words; a name is shorter.
REPEATED: Final = 5
REPEATED_SHARE: Final = 0.2
REPEATED_IN_NAME: Final = 3
#: Digits of a phone number, at the least: Mongolian ones have 8.
PHONE_DIGITS: Final = 7
#: Emoji in a name before they are many.
MANY_EMOJI: Final = 3

_LINK = re.compile(
    r"https?://\S+|\bwww\.\S+|(?<![@\w.-])[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*"
    r"\.(?:com|net|org|info|biz|mn|ru|cn|me|io|xyz|top|shop|site|online|club|click|link)\b(?:/\S*)?",
    re.IGNORECASE,
)
#: Shorter ones, such as "the", are often repeated in any text.
_WORD = re.compile(r"[^\W\d_]{4,}")
_DIGITS = re.compile(r"\+?\d(?:[\s().-]{0,2}\d)+")
_YEARS = re.compile(r"(?:19|20)\d\d\s?-\s?(?:19|20)\d\d")
_SHOUTED_MARKS = re.compile(r"[!?]{3,}")


@rule(Decision.FLAGGED, confidence=0.7)
def link_in_description(candidate: Candidate) -> str | None:
    """The description leads to a site other than the listing's own."""
    own = _host(candidate.listing.website)
    hosts = map(_host, _LINK.findall(candidate.listing.description))
    others = any(not own or not f".{host}".endswith(f".{own}") for host in hosts)
    return "The description holds a link to another site." if others else None


@rule(Decision.FLAGGED, confidence=0.7)
def shouting(candidate: Candidate) -> str | None:
    """The description is written in capitals, or with !!!."""
    text = candidate.listing.description
    letters = [letter for letter in text if letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    if len(letters) >= SHOUTED_LETTERS and capitals > SHOUTED_SHARE * len(letters):
        return "The description is written in capitals."
    return "The description is full of exclamation marks." if _SHOUTED_MARKS.search(text) else None


@rule(Decision.FLAGGED, confidence=0.8)
def repeated_words(candidate: Candidate) -> str | None:
    """One word stands there again and again, as search engines were once fooled."""
    for field, most, share in (("name", REPEATED_IN_NAME, 0.0), ("description", REPEATED, REPEATED_SHARE)):
        words = _WORD.findall(getattr(candidate.listing, field).casefold())
        word, count = Counter(words).most_common(1)[0] if words else ("", 0)
        if count >= most and count > share * len(words):
            return f"The {field} repeats the word {word[:40]!r} {count} times."
    return None


@rule(Decision.FLAGGED, confidence=0.8)
def phone_in_name(candidate: Candidate) -> str | None:
    """The name holds a phone number."""
    name = _YEARS.sub(" ", candidate.listing.name)
    numbers = (sum(character.isdigit() for character in found) for found in _DIGITS.findall(name))
    return "The name holds a phone number." if any(count >= PHONE_DIGITS for count in numbers) else None


@rule(Decision.FLAGGED, confidence=0.7)
def many_emoji(candidate: Candidate) -> str | None:
    """The name is decorated."""
    count = sum(unicodedata.category(character) == "So" for character in candidate.listing.name)
    return f"The name holds {count} emoji." if count >= MANY_EMOJI else None


@rule(Decision.REJECTED, confidence=0.8)
def gambling(candidate: Candidate) -> str | None:
    """It advertises games for money."""
    return _advertised(candidate, GAMBLING, "gambling")


@rule(Decision.FLAGGED, confidence=0.7)
def dubious_loan(candidate: Candidate) -> str | None:
    """It advertises loans in the words of loan sharks."""
    return _advertised(candidate, LOANS, "a dubious loan")


@rule(Decision.FLAGGED, confidence=0.8)
def impossible_guarantee(candidate: Candidate) -> str | None:
    """It promises what nobody can."""
    return _advertised(candidate, GUARANTEES, "an impossible guarantee")


def _advertised(candidate: Candidate, phrases: tuple[str, ...], what: str) -> str | None:
    listing = candidate.listing
    found = first_of(phrases, "\n".join((listing.name, listing.category, listing.description)))
    return f"It advertises {what}: {found!r}." if found else None


def _host(url: str) -> str:
    """Return the host of an address, with or without a scheme, without `www.`."""
    try:
        host = urlsplit(url if "://" in url else f"https://{url}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.").rstrip(".,;:!?)")
