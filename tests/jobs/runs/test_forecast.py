"""When a run will be done under a provider's budgets, compared with a simulation of the throttle."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jobs.runs.forecast import Budgets, seconds_under
from jobs.throttle import Limits
from jobs.throttle.throttle import WINDOW, Spent

SECONDS = WINDOW / 1000
DAY = 86_400.0
#: How far apart sums of floats may be.
CLOSE = 1e-6


def simulated(budgets: Budgets, texts: int, tokens_each: int = 0) -> float:
    """Send as much as is granted as soon as it is, like workers that are never slow; return when the last was sent."""
    limits = budgets.limits
    log = [(each.free_in, each.units, each.tokens) for each in budgets.spent]
    today, reset, now = budgets.units_today, budgets.seconds_until_reset, budgets.blocked_for
    while True:
        while now >= reset:
            today, reset = 0, reset + DAY
        log = [each for each in log if each[0] > now + CLOSE]
        room = float(texts)
        if limits.units_per_minute:
            used = sum(units for _, units, _ in log)
            room = min(room, limits.units_per_minute - limits.reserved(limits.units_per_minute) - used)
        if limits.tokens_per_minute and tokens_each:
            used = sum(tokens for _, _, tokens in log)
            free = limits.tokens_per_minute - limits.reserved(limits.tokens_per_minute) - used
            room = min(room, free // tokens_each)
        if limits.units_per_day:
            room = min(room, limits.units_per_day - limits.reserved(limits.units_per_day) - today)
        sent = max(0, int(room))
        texts, today = texts - sent, today + sent
        if sent:
            log.append((now + SECONDS, sent, sent * tokens_each))
        if texts <= 0:
            return now
        later = [moment for moment, _, _ in log]
        now = min([*later, reset]) if limits.units_per_day else min(later)


spent = st.lists(
    st.builds(Spent, free_in=st.floats(0.5, SECONDS), units=st.integers(1, 60), tokens=st.just(0)), max_size=5
)


@given(texts=st.integers(1, 2_000), rpm=st.integers(2, 400), log=spent, blocked=st.sampled_from([0.0, 7.5, 59.0, 90.0]))
def test_a_budget_per_minute_is_foretold_exactly(texts: int, rpm: int, log: list[Spent], blocked: float) -> None:
    budgets = Budgets(limits=Limits(units_per_minute=rpm), spent=log, blocked_for=blocked)

    assert math.isclose(seconds_under(budgets, texts), simulated(budgets, texts), abs_tol=CLOSE)


@given(
    texts=st.integers(1, 5_000),
    rpm=st.integers(2, 200),
    rpd=st.integers(2, 2_000),
    today=st.integers(0, 2_000),
    reset=st.floats(1.0, DAY),
    log=spent,
)
def test_a_budget_per_day_is_foretold_but_for_a_minute_at_each_midnight(
    texts: int, rpm: int, rpd: int, today: int, reset: float, log: list[Spent]
) -> None:
    limits = Limits(units_per_minute=rpm, units_per_day=rpd)
    budgets = Budgets(limits=limits, spent=log, units_today=min(today, rpd), seconds_until_reset=reset)

    told = seconds_under(budgets, texts)

    # What is sent just before or after a midnight makes a difference of a minute's texts for that day.
    midnights = 1 + max(0.0, told - reset) // DAY
    slack = int(midnights * rpm)
    assert simulated(budgets, max(1, texts - slack)) - SECONDS * (midnights + 1) <= told
    assert told <= simulated(budgets, texts + slack) + SECONDS * (midnights + 1)


@given(texts=st.integers(1, 2_000), rpm=st.integers(0, 200), tpm=st.integers(1_000, 30_000), each=st.integers(1, 500))
def test_a_budget_of_tokens_is_foretold_exactly_for_texts_of_one_length(
    texts: int, rpm: int, tpm: int, each: int
) -> None:
    budgets = Budgets(limits=Limits(units_per_minute=rpm, tokens_per_minute=tpm))

    assert math.isclose(seconds_under(budgets, texts, each), simulated(budgets, texts, each), abs_tol=CLOSE)


@given(texts=st.integers(10, 3_000), rpm=st.integers(15, 400), share=st.floats(0.2, 0.9))
def test_what_is_foretold_in_the_middle_is_what_it_takes(texts: int, rpm: int, share: float) -> None:
    """After any part of the work, the forecast is the rest of the time that the whole takes."""
    limits = Limits(units_per_minute=rpm)
    allowed = rpm - limits.reserved(rpm)
    done = max(1, int(texts * share))
    whole = seconds_under(Budgets(limits=limits), texts)
    at = SECONDS * ((done - 1) // allowed)
    in_window = done - allowed * ((done - 1) // allowed)
    middle = Budgets(limits=limits, spent=[Spent(SECONDS, in_window, 0)])

    rest = seconds_under(middle, texts - done)

    if texts > done:
        assert math.isclose(at + rest, whole, abs_tol=CLOSE)


def test_nothing_left_takes_no_time_and_no_limit_no_waiting() -> None:
    assert seconds_under(Budgets(limits=Limits(units_per_minute=15)), 0) == 0
    assert seconds_under(Budgets(limits=Limits()), 10**9) == 0


def test_a_block_that_outlasts_the_window_is_all_the_waiting_there_is() -> None:
    budgets = Budgets(limits=Limits(units_per_minute=15), spent=[Spent(50.0, 14, 0)])

    assert seconds_under(budgets, 14) == 50
    assert seconds_under(replace(budgets, blocked_for=60.0), 14) == 60
