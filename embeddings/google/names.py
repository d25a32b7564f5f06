"""Addresses, keys and names of models, checked before they are used."""

import re

from jobs.errors import ConfigurationError

#: Where Google's API is, unless `GEMINI_BASE_URL` says otherwise.
BASE_URL = "https://generativelanguage.googleapis.com"

_MODEL = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


def checked_key(api_key: str) -> str:
    """Return the key. Raises `ConfigurationError` when there is none, or one that can't be sent in a header."""
    if not api_key:
        raise ConfigurationError("GEMINI_API_KEY is not set: a key of the Gemini API is needed.")
    if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise ConfigurationError("GEMINI_API_KEY=(secret) holds characters that no key has: copy it again.")
    return api_key


def checked_model(model: str, *, setting: str, example: str) -> str:
    """Return a model's name without `models/`. Raises `ConfigurationError` for one that can't stand in an address.

    The error names the `setting` that it came from, and an `example`.
    """
    name = model.removeprefix("models/")
    if not _MODEL.fullmatch(name):
        raise ConfigurationError(f"{setting}={model!r} is no name of a Gemini model, such as {example}.")
    return name
