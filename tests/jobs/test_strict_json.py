"""JSON from outside: what is not plain JSON is refused with a reason, and the rest is read as Python reads it."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.strict_json import MAX_DEPTH, read_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain)
def test_plain_json_is_read_as_it_was_written(value) -> None:
    assert read_json(json.dumps(value)) == value


@given(st.text(max_size=30))
def test_what_is_not_json_is_a_value_error_and_nothing_else(text) -> None:
    with contextlib.suppress(ValueError):
        read_json(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "'a' stands twice"),
        ('{"x": {"\\ud800": 1, "\\ud800": 2}}', r"'\ud800' stands twice"),
        ('{"KEY": 1, "KEY": 2}'.replace("KEY", "k" * 1000), "'" + "k" * 50 + "'"),
        ('{"a": NaN}', "NaN"),
        ("[-Infinity]", "-Infinity"),
        ("[" * 100_000, "too deeply"),
        ("[" * 100_000 + "]" * 100_000, "too deeply"),
        ('{"a":' * 100_000, "too deeply"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "too deeply"),
        ("1" * 5000, "limit"),
        ("", "Expecting value"),
        ("{} {}", "Extra data"),
    ],
)
def test_what_python_would_take_or_fail_at_is_refused_with_a_reason(text, reason) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_json(text)
    assert reason in str(refused.value)
    str(refused.value).encode()


def test_nesting_up_to_the_limit_is_read() -> None:
    value = read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        (value,) = value
    assert value == []
