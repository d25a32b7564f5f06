"""The retry table, row by row, and the law of its delays."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import ErrorClass
from jobs.retry import DEFAULT_POLICY, EXPONENTIAL, Pause, Rule, delay_before_retry


@pytest.mark.parametrize(
    ("error_class", "rule"),
    [
        ("network", Rule(retried=True)),
        ("server", Rule(retried=True)),
        ("bad_response", Rule(retried=True)),
        ("rate_limited", Rule(retried=True, retries=5, counted_apart=True, delay=60.0, lane_waits=True)),
        ("quota_exhausted", Rule(retried=False, pause=Pause(until_reset=True))),
        ("auth", Rule(retried=False, pause=Pause(probe_every=600.0))),
        ("configuration", Rule(retried=False, pause=Pause())),
        ("invalid_input", Rule(retried=False)),
        ("batch_rejected", Rule(retried=False)),
        ("not_found", Rule(retried=False)),
        ("poisoned", Rule(retried=False)),
    ],
)
def test_a_row_of_the_table(error_class, rule) -> None:
    assert DEFAULT_POLICY[ErrorClass(error_class)] == rule


def test_every_failure_class_has_a_row() -> None:
    assert set(DEFAULT_POLICY) == set(ErrorClass)


@pytest.mark.parametrize(
    ("attempt", "least"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (32767, 60)]
)
def test_the_delay_doubles_up_to_a_minute_and_is_stretched_by_up_to_30_percent(attempt, least) -> None:
    class Edge(random.Random):
        value = 0.0

        def random(self) -> float:
            return self.value

    rng = Edge()
    assert delay_before_retry(EXPONENTIAL, attempt=attempt, rng=rng) == least
    rng.value = 1.0
    assert delay_before_retry(EXPONENTIAL, attempt=attempt, rng=rng) == pytest.approx(least * 1.3)


@given(
    attempt=st.integers(1, 32767),
    fixed=st.none() | st.floats(0, 3600),
    asked=st.none() | st.floats(0, 86400),
    seed=st.integers(0, 2**32),
)
def test_the_delay_is_the_longer_of_ours_and_theirs_plus_at_most_30_percent(attempt, fixed, asked, seed) -> None:
    rule = Rule(retried=True, delay=fixed)
    ours = fixed if fixed is not None else min(2.0 ** (attempt - 1) if attempt < 20 else 60.0, 60.0)
    least = max(ours, asked or 0.0)
    delay = delay_before_retry(rule, attempt=attempt, retry_after=asked, rng=random.Random(seed))
    assert least <= delay <= least * 1.3 + 1e-9


@given(attempt=st.integers(1, 100), seed=st.integers(0, 2**32))
def test_a_later_attempt_never_waits_shorter_with_the_same_luck(attempt, seed) -> None:
    first, second = (
        delay_before_retry(EXPONENTIAL, attempt=each, rng=random.Random(seed)) for each in (attempt, attempt + 1)
    )
    assert second >= first


def test_delays_of_jobs_that_failed_together_differ() -> None:
    assert len({delay_before_retry(EXPONENTIAL, attempt=1) for _ in range(20)}) > 10
