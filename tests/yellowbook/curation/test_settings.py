"""The settings of curation."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.yellowbook.enrichment.test_settings import started
from yellowbook.curation.days import due_day
from yellowbook.env import Env


@pytest.mark.parametrize(("text", "expected"), [("02:00", time(2)), ("23:59", time(23, 59)), ("", time(6, 30))])
def test_a_time_of_day_is_read(text: str, expected: time) -> None:
    assert Env({"AT": text}).time_of_day("AT", time(6, 30)) == expected


@pytest.mark.parametrize("text", ["2:00", "24:00", "02:60", "0200", "02:00:00", "noon", "٠٢:٠٠"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="expected a time of day, from 00:00 to 23:59"):
        Env({"AT": text}).time_of_day("AT", time(2))


@pytest.mark.parametrize(
    ("at", "moment", "day"),
    [
        (time(2), datetime(2026, 3, 1, 2, 0, tzinfo=UTC), date(2026, 3, 1)),
        (time(2), datetime(2026, 3, 1, 1, 59, tzinfo=UTC), date(2026, 2, 28)),
        (time(0), datetime(2026, 3, 1, 0, 0, tzinfo=UTC), date(2026, 3, 1)),
        (time(23, 30), datetime(2026, 3, 1, 23, 29, tzinfo=UTC), date(2026, 2, 28)),
    ],
)
def test_the_day_that_is_due_is_the_newest_whose_time_has_come(
    settings: Any, at: time, moment: datetime, day: date
) -> None:
    settings.CURATION_AT = at
    assert due_day(moment) == day


def test_titles_by_a_model_need_a_key() -> None:
    done = started(CURATION_TITLES="gemini")
    assert done.returncode
    assert "CURATION_TITLES='gemini' needs GEMINI_API_KEY" in done.stderr
