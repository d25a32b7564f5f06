"""Secrets never survive, ordinary text always does."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.clean import MASK, MAX_LENGTH, clean

WORD = string.ascii_letters + string.digits + "_-"
secrets = st.text(WORD, min_size=20, max_size=40).filter(lambda text: text.strip("-_"))
#: What stands around a secret: no words that look like names of secrets, and not stuck to the secret.
ordinary = st.text(st.sampled_from("Номин ресторан өү ABC xyz 12,.!?()\n<>|"), max_size=60)


@pytest.mark.parametrize(
    "template",
    [
        "AIza{}",
        "sk-{}",
        "Authorization: Bearer {}",
        "authorization: bearer {}",
        "Authorization: Token {}",
        "?key={}",
        "https://host/v1beta/models?alt=json&key={}&x=1",
        "key: {}",
        "'api_key': '{}'",
        '{{"api_key": "{}"}}',
        '"apiKey" = "{}"',
        "X-Goog-Api-Key: {}",
        "x-goog-api-key={}",
        "token={}",
        "access_token={}",
        "refresh_token: {}",
        "client_secret={}",
        "password={}",
        "PASSWORD = {}",
        "passwd:{}",
        "postgres://user:{}@host:5432/db",
        "postgresql+psycopg://user:{}@host/db",
        "redis://:{}@host:6379/0",
        "https://me:{}@example.mn/path",
        "Authorization: Basic {}",
        "pwd={}",
        "host=db user=me password='{}' dbname=x",
        "GEMINI_API_KEY={}",
        "DJANGO_SECRET_KEY={}",
    ],
)
def test_a_secret_does_not_survive(template) -> None:
    @given(secret=secrets, before=ordinary, after=ordinary)
    def law(secret: str, before: str, after: str) -> None:
        cleaned = clean(f"{before} {template.format(secret)} {after}")
        assert secret not in cleaned
        assert MASK in cleaned

    law()


@pytest.mark.parametrize("password", ["p@ssw0rd-long", "p:ssw0rd:long", "p/ssw0rd/long", "p#ss?w0rd-long"])
def test_no_part_of_a_password_in_a_url_survives_whatever_it_is_made_of(password) -> None:
    cleaned = clean(f"could not connect to postgres://app:{password}@db.internal:5432/yellowbook")
    assert "w0rd" not in cleaned
    assert "long" not in cleaned


@given(st.text(st.sampled_from("Номин ресторан өүӨҮ ABCxyz019.,;!?()[]{}<>|/\\\n\t\"'-_+*&%$#@~^`€日本"), max_size=300))
def test_ordinary_text_is_untouched(text) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Энэ ресторан нь өглөөний цайтай.",
        "risk-management-department and disk-encryption-service",
        "See https://example.mn:8080/path?page=2",
        "HTTP 429: quota 'GenerateRequestsPerDay' exceeded, retry in 31.5s",
        "mailto:bold@example.mn",
        "The model models/gemini-embedding-001 was not found.",
    ],
)
def test_messages_that_people_need_are_untouched(text) -> None:
    assert clean(text) == text


pieces = st.sampled_from(
    [
        *(
            "key=",
            "token ",
            "Bearer ",
            "AIza",
            "sk-",
            "password:",
            "://",
            "a:b@",
            "secret",
            " ",
            "\n",
            "\x00",
            "\ud800",
        ),
        *("abcdefgh12345678", "ө", '"', "'", "=", ":", "@", "/", MASK, "[", "]", "x" * 50),
    ]
)


@given(st.lists(pieces, max_size=25).map("".join))
def test_cleaning_twice_changes_nothing_more(text) -> None:
    once = clean(text)
    assert clean(once) == once


@given(st.lists(pieces, max_size=25).map("".join))
def test_what_is_left_can_be_stored_and_is_not_longer_than_promised(text) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    cleaned.encode("utf-8")
    assert len(cleaned) <= MAX_LENGTH


def test_of_a_long_text_the_beginning_and_the_end_are_kept() -> None:
    cleaned = clean("first " + "ө" * 50_000 + " last")
    assert cleaned.startswith("first ")
    assert cleaned.endswith(" last")
    assert "left out" in cleaned


@pytest.mark.parametrize("excess", [0, 1, 10, 100, 100_000])
def test_a_long_text_is_clipped_to_the_promised_length_once(excess) -> None:
    cleaned = clean("ө" * (MAX_LENGTH + excess))
    assert len(cleaned) <= MAX_LENGTH
    assert clean(cleaned) == cleaned


def test_a_secret_that_a_nul_byte_splits_does_not_survive() -> None:
    assert "SyBcdefghijk" not in clean("AIza\x00SyBcdefghijkl")


@pytest.mark.timeout(5)
@pytest.mark.parametrize("unit", ["a", "A1+.-", "a:", "Bearer ", "key=", "://", "token\n"])
def test_a_megabyte_of_anything_is_cleaned_in_linear_time(unit) -> None:
    """An answer's body may end up in an error: a pattern that backtracks would hold the worker for hours."""
    clean(unit * (1_000_000 // len(unit)))
