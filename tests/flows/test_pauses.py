"""Rows of the retry table that concern every job: the lane is paused, and opens again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.flows.conftest import Start
from tests.flows.retry_table import PROVIDERS, Row, check_letter
from tests.flows.trouble import (
    Google,
    await_pause,
    lane,
    letter,
    replace_worker,
    resume,
    states,
)

pytestmark = pytest.mark.flow

#: Faults that concern every job: the lane is paused.
PAUSING = [
    Row("429_day", "quota_exhausted", 429, "RESOURCE_EXHAUSTED"),
    Row("429_zero", "quota_exhausted", 429, "limit: 0"),
    Row("key_invalid", "auth", 400, "API key not valid"),
    Row("key_leaked", "auth", 403, "leaked"),
    Row("401", "auth", 401, "UNAUTHENTICATED"),
    Row("403", "auth", 403, "PERMISSION_DENIED"),
    Row("404", "configuration", 404, "NOT_FOUND"),
    Row("failed_precondition", "configuration", 400, "FAILED_PRECONDITION"),
]


@pytest.mark.parametrize("row", PAUSING, ids=lambda row: row.fault)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_concerns_every_job_pauses_the_lane_and_costs_the_jobs_of_that_call(
    start: Start, google: Google, provider: str, row: Row
) -> None:
    system = start(google.of(provider))
    google.fail(row.fault)

    lost = [job["job_id"] for job in system.api.bulk(system.plant(3))["jobs"]]
    shown = await_pause(system)
    waiting = system.api.create(name=f"{system.mark} waiting")["embedding_job"]["id"]

    assert shown["paused_by"] == "system"
    for job_id in lost:
        dead = check_letter(system, job_id, row, attempts=1)
        assert shown["pause_reason"]
        # The exceeded quota, where there is one, stands before what the provider said.
        told = shown["pause_reason"]
        assert dead["failure_reason"].startswith((told, told.partition(": ")[2]))
    ((until, probe, closed),) = system.sql(
        "SELECT paused_until, extract(epoch FROM probe_at - paused_at)::int, closed_until FROM jobs_lane"
    )
    if row.error_class == "quota_exhausted":
        midnight = until.astimezone(ZoneInfo("America/Los_Angeles"))
        assert (midnight.hour, midnight.minute, midnight.second) == (0, 0, 0)
        assert timedelta() < until - datetime.now(UTC) <= timedelta(hours=25)
    else:
        assert until is None
    assert probe == (600 if row.error_class == "auth" else None)
    assert closed is None
    assert states(system, [waiting]) == {"queued": 1}
    assert len(google.record(system.mark)) == 1

    resume(system)
    job = system.await_job(waiting)

    assert (job["attempt"], job["attempts"]) == (1, [])
    assert states(system, lost) == {"dead": 3}
    assert len({letter(system, job_id)["fingerprint"] for job_id in lost}) == 1


def test_a_daily_quota_opens_the_lane_by_itself_at_its_end(start: Start, google: Google) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE="20")
    google.take(0.3)
    google.fail("429_day", calls=1, after=1)
    system.api.bulk(system.plant(200))
    await_pause(system)

    (refused,) = [call for call in google.record(system.mark) if call["status"] == 429]
    jobs = system.jobs()
    assert jobs["dead"] == refused["texts"] == 20
    assert jobs["queued"] == 200 - 20 - jobs["succeeded"] > 0
    assert set(jobs) == {"dead", "queued", "succeeded"} or set(jobs) == {"dead", "queued"}
    google.take(0)

    system.sql("UPDATE jobs_lane SET paused_until = now()")
    system.until(lambda: system.jobs() == {"succeeded": 180, "dead": 20}, "the rest is embedded")

    assert not lane(system)["paused"]
    assert system.sql("SELECT DISTINCT attempt FROM jobs_jobexecution") == [(1,)]
