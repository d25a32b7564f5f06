"""Database expressions of the directory."""

from django.db.models import CharField, Func


class HashOfLines(Func):
    r"""The hex SHA-256 of its arguments joined by line feeds, as `text.text_hash` computes it in Python.

    A generated column may use immutable functions only. `convert_to()` is not one, so the text becomes bytes through
    `decode(..., 'escape')`, which copies every byte but the backslash; doubling that keeps it. Needs a UTF-8 database.
    """

    template = r"encode(sha256(decode(replace(%(expressions)s, '\', '\\'), 'escape')), 'hex')"
    arg_joiner = " || chr(10) || "
    output_field = CharField(max_length=64)
