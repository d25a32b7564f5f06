"""Dead letters of one cause share a fingerprint."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import InvalidInput, JobError, NotFound, ServerError
from jobs.lifecycle.bury import fingerprint


def of(message: str, error: type[JobError] = ServerError, kind: str = "greet") -> str:
    return fingerprint(kind, error(message))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 3.5 s", "took 12 s"),
        (
            "business 6ba7b810-9dad-11d1-80b4-00c04fd430c8 is gone",
            "business 00000000-0000-4000-8000-00000000000A is gone",
        ),
        ("'Номин' is not an id", "'Хаан' is not an id"),
        ('field "name" is too long', 'field "address" is too long'),
        ("Quota Exceeded", "quota exceeded"),
        ("The text doesn't fit 'Номин'", "The text doesn't fit 'Хаан'"),
    ],
)
def test_numbers_ids_and_quoted_names_do_not_make_another_cause(one, other) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("connection refused", "connection reset"),
        ("we can't reach the host, and don't try", "we can't read the answer, and don't try"),
        ("limit of 5 texts", "limit of 5 tokens"),
    ],
)
def test_other_words_do(one, other) -> None:
    assert of(one) != of(other)


def test_another_class_or_kind_is_another_cause() -> None:
    assert len({of("x"), of("x", NotFound), of("x", InvalidInput), of("x", kind="other")}) == 4


@given(st.uuids(), st.uuids(), st.integers(0), st.integers(0))
def test_whatever_the_ids_and_numbers_are(one: UUID, other: UUID, n: int, m: int) -> None:
    assert of(f"job {one} failed {n} times") == of(f"job {other} failed {m} times")


@given(st.text())
def test_any_message_has_one(message: str) -> None:
    assert len(of(message.encode("utf-8", "ignore").decode())) == 16
