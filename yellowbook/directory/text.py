"""The text of a business: how it is cleaned, what of it is embedded, and the hash that tells one text from another."""

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from yellowbook.directory.models import Business

#: The fields whose values, one per line, make up the embedded text. Nothing else of a business is embedded.
TEXT_FIELDS: Final = ("name", "category", "description", "address")

#: What is not text: control characters but for line feed and tab, and halves of surrogate pairs.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

#: The same for whoever writes the text, as a pattern that it matches, to Python and to JavaScript.
TEXT_PATTERN: Final = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"


def clean_text(value: str) -> str:
    """Return `value` in Unicode's composed form (NFC), with `\\n` as its only line ending, without white space around.

    Two spellings of one text become equal, so that they have one hash and one search result. Cleaning twice changes
    nothing more.
    """
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def validate_text(value: str) -> None:
    """Raise `ValidationError` for NUL bytes, other control characters and lone surrogates; says which and where."""
    found = _NOT_TEXT.search(value)
    if found:
        code, position = ord(found[0]), found.start() + 1
        told = (
            _("Character %(position)s is not text: it is half a character (a lone surrogate), U+%(code)s.")
            if code >= 0xD800
            else _("Character %(position)s is not text: it is a control character, U+%(code)s.")
        )
        raise ValidationError(told % {"position": position, "code": f"{code:04X}"}, code="not_text")


def embedded_text(business: "Business") -> str:
    """Return the text that is embedded for `business`: always four lines' worth, empty fields included."""
    return "\n".join((business.name, business.category, business.description, business.address))


def text_hash(text: str) -> str:
    """Return the hex SHA-256 of `text`: what PostgreSQL stores in `Business.text_hash`."""
    return hashlib.sha256(text.encode()).hexdigest()
