"""Reading JSON that came from outside, without the liberties that Python's own reader takes."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

#: Levels of lists and objects. No request needs more than a few; far below what Python's own recursion bears.
MAX_DEPTH: Final = 50


def read_json(text: str) -> Any:
    """Return the value; raises `ValueError`, with what is wrong for people, for anything that is not plain JSON.

    NaN and Infinity are no JSON, an object that has a key twice means two things, numbers of more than 4,300 digits
    and nesting beyond `MAX_DEPTH` are attacks. Lone surrogates pass: they are refused where a text is expected.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is too deeply nested") from None
    _check_depth(value)
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:50]!r} stands twice in one object")
    return made


def _check_depth(value: Any) -> None:
    """Raise `ValueError` when containers are nested too deeply; goes down level by level, without recursion."""
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [child for each in level for child in _containers(each.values() if isinstance(each, dict) else each)]
    if level:
        raise ValueError("it is too deeply nested")


def _containers(values: Iterable[Any]) -> list[list[Any] | dict[str, Any]]:
    return [value for value in values if isinstance(value, list | dict)]
