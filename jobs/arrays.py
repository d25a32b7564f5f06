"""PostgreSQL's spelling of arrays. As one text, many ids cost a tenth of what they do as a list of parameters."""

from collections.abc import Iterable
from uuid import UUID


def text_array(texts: Iterable[str]) -> str:
    """Return texts as a parameter for `%s::text[]`. No text of PostgreSQL holds the character zero."""
    return "{" + ",".join(['"' + text.replace("\\", r"\\").replace('"', r"\"") + '"' for text in texts]) + "}"


def uuid_array(ids: Iterable[UUID]) -> str:
    """Return ids as a parameter for `%s::uuid[]`."""
    return "{" + ",".join([each.hex for each in ids]) + "}"
