"""The provider's quota: never exceeded, with a reserve for urgent work, and waiting that costs nothing."""

import time
from datetime import datetime
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.sizes import Sizes
from tests.flows.system import System
from tests.flows.trouble import (
    Google,
    await_state,
    blocked_for,
    connected,
    forget_calls,
    lane,
    letters,
    replace_worker,
    resume,
    states,
)

pytestmark = pytest.mark.flow

#: Texts per minute that the stand-in enforces; 5 % of them, at least one, are kept for urgent work.
PER_MINUTE = 15
ORDINARY = 14
#: More than a throttle's window, in milliseconds.
A_MINUTE = 61_000
#: Seconds for which a waiting lane is watched, and how often it may ask for budget meanwhile.
WATCHED = 4.0
MOST_LOOKS = 4


def looks(system: System) -> int:
    """Count the times that anybody asked for budget: each forgets first what is older than a minute."""
    with connected(system) as client:
        stats = client.info("commandstats")
        return int(stats.get("cmdstat_zrangebyscore", {}).get("calls", 0))


def let_a_minute_pass(system: System, google: Google) -> None:
    """Move what was spent a minute into the past: the throttle's log, the lane's alarm, and what Google remembers."""
    with connected(system) as client:
        (key,) = client.keys("throttle:*:log")
        for grant, moment in client.zrange(key, 0, -1, withscores=True):
            client.zadd(key, {grant: moment - A_MINUTE})
    google.reset()
    system.sql("UPDATE jobs_lane SET wake_at = now()")


def moment(job: dict[str, Any]) -> datetime:
    """Return when a job came to its end."""
    return datetime.fromisoformat(job["finished_at"])


def test_a_quota_is_kept_its_reserve_is_for_urgent_work_and_waiting_costs_nothing(
    start: Start, google: Google, sizes: Sizes
) -> None:
    google.allow(PER_MINUTE)
    system = start(google)
    replace_worker(system, EMBEDDING_RPM=str(PER_MINUTE))
    forget_calls(system, google)

    system.api.bulk(system.plant(sizes.limited))
    system.until(lambda: system.jobs()["succeeded"] == ORDINARY, "the ordinary part of the budget is spent")
    bulk = [str(row[0]) for row in system.sql("SELECT id FROM jobs_jobexecution WHERE status = 'queued'")]
    assert len(bulk) == sizes.limited - ORDINARY
    urgent = system.await_job(system.api.create(name=f"{system.mark} urgent")["embedding_job"]["id"])

    assert (urgent["priority"], urgent["attempt"], urgent["attempts"]) == ("high", 1, [])
    assert states(system, bulk) == {"queued": len(bulk)}
    late = system.api.create(name=f"{system.mark} late")["embedding_job"]["id"]
    system.until(lambda: system.sql("SELECT FROM jobs_lane WHERE wake_at > now()"), "the lane sleeps")

    assert looks(system) > 0
    calls, asked = len(google.record()), looks(system)
    # That nothing happens is seen by watching for a while.
    time.sleep(WATCHED)
    assert len(google.record()) == calls
    assert looks(system) - asked <= MOST_LOOKS
    assert states(system, [*bulk, late]) == {"queued": len(bulk) + 1}
    assert system.sql("SELECT DISTINCT attempt, rate_limits FROM jobs_jobexecution") == [(1, 0)]
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]
    assert google.statuses(system.mark) == {200: calls}

    if not sizes.real_time:
        let_a_minute_pass(system, google)
    system.await_success(sizes.limited + 2, within=sizes.within)

    ((first, last),) = system.sql(
        "SELECT min(finished_at), max(finished_at) FROM jobs_jobexecution WHERE id = ANY(%s::uuid[])", bulk
    )
    assert moment(urgent) < moment(system.api.job(late)) <= first <= last
    assert google.statuses(system.mark).keys() == {200}
    assert system.sql("SELECT count(*) FROM jobs_attempt") == [(0,)]
    assert system.sql("SELECT DISTINCT attempt, rate_limits FROM jobs_jobexecution") == [(1, 0)]
    assert system.without_fresh_vector() == 0
    assert letters(system)["total_failed"] == 0


def test_a_refusal_in_spite_of_the_budget_makes_everybody_wait_until_the_lane_is_resumed(
    start: Start, google: Google
) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_RPM="1000")
    google.fail("429_minute")

    refused = system.api.create(name=f"{system.mark} refused")["embedding_job"]["id"]
    job = await_state(system, refused, "retrying")
    other = system.api.create(name=f"{system.mark} other")["embedding_job"]["id"]

    assert (job["error_class"], job["attempt"]) == ("rate_limited", 1)
    assert 30 < blocked_for(system) <= 60
    assert states(system, [other]) == {"queued": 1}
    assert google.statuses(system.mark) == {429: 1}

    resume(system)
    system.await_job(other)
    assert states(system, [refused]) == {"retrying": 1}
    system.sql("UPDATE jobs_jobexecution SET next_attempt_at = now() WHERE id = %s", refused)
    job = system.await_job(refused)

    assert (job["attempt"], len(job["attempts"])) == (1, 1)
    assert google.statuses(system.mark) == {429: 1, 200: 2}
    assert not lane(system)["paused"]
