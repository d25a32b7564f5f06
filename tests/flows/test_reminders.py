"""A reminder from the API to mail server and browser, with real workers. One is killed; Redis is away first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.flows.conftest import Start
from tests.flows.system import System
from tests.flows.trouble import ask, replace_worker
from tests.yellowbook.notifications.conftest import Post, post, sellers  # noqa: F401 fixtures
from tests.yellowbook.reminders.conftest import (
    SUBJECT,
    VAPID_KEY,
    Browser,
    PushService,
    push_service,  # noqa: F401 a fixture
)

pytestmark = pytest.mark.flow

#: The worker that has the push message in hand; the letter may be in the hands of the other one.
AT_WORK = """
SELECT worker.pid
  FROM jobs_workerprocess AS worker
  JOIN jobs_lease AS lease ON lease.worker = worker.name
  JOIN jobs_jobexecution AS job ON job.lease_id = lease.id AND job.status = 'running'
  JOIN reminders_schedule AS schedule ON schedule.id::text = job.subject AND schedule.channel = 'push'
"""


def states(system: System) -> dict[tuple[int, str], str]:
    """Return the states of all reminders by offset and channel."""
    shown = ask(system.api, "GET", "/api/reminders/schedules")["results"]
    return {(each["offset"], each["channel"]): each["state"] for each in shown}


def kill_at_work(system: System) -> None:
    """Kill the worker that sends."""
    ((pid,),) = system.until(lambda: system.sql(AT_WORK), "a worker sends")
    (worker,) = [each for each in system.workers if pid in each.pids]
    system.kill(worker)


def test_a_reminder_arrives_once_though_redis_was_away_and_a_worker_is_killed_while_it_sends(
    start: Start,
    post: Post,  # noqa: F811
    push_service: PushService,  # noqa: F811
) -> None:
    system = start()
    settings: dict[str, Any] = {
        "EMAIL_URL": f"smtp://127.0.0.1:{post.port}?from=book@example.mn",
        "CATALOGUE_ALLOW_PRIVATE": "1",
        "REMINDERS_VAPID_PRIVATE_KEY": VAPID_KEY,
        "REMINDERS_VAPID_SUBJECT": SUBJECT,
    }
    replace_worker(system, number=2, **settings)
    browser = Browser()
    system.sql("UPDATE auth_user SET email = 'saraa@example.mn'")
    system.sql(
        "INSERT INTO reminders_pushsubscription (id, owner_id, endpoint, p256dh, auth)"
        " SELECT gen_random_uuid(), id, %s, %s, %s FROM auth_user",
        push_service.endpoint("phone"),
        browser.keys["p256dh"],
        browser.keys["auth"],
    )
    push_service.answers["phone"] = [0]

    system.house.stop_redis()
    day = datetime.now(UTC).date() + timedelta(days=10)
    given = {"title": system.mark, "date": str(day), "time": "09:00", "time_zone": "Asia/Ulaanbaatar"}
    made = ask(system.api, "POST", "/api/reminders/occasions", given, expected=201)
    assert set(states(system).values()) == {"waiting"}
    # A week before the occasion has come.
    system.sql('UPDATE reminders_schedule SET due_at = now() WHERE "offset" = -7')
    system.house.start_redis()

    system.until(lambda: push_service.held, "the push service has the first message in hand")
    kill_at_work(system)
    sent = {(offset, channel): "sent" if offset == -7 else "waiting" for offset, channel in states(system)}
    system.until(lambda: states(system) == sent, "both reminders are sent")

    ((_, _, body),) = push_service.taken
    assert browser.read(body)["title"] == f"{system.mark}: in 7 days"
    (letter,) = post.letters
    assert (letter["to"], letter["subject"]) == ("saraa@example.mn", f"{system.mark}: in 7 days")
    records = "SELECT outcome, count(*) FROM reminders_deliveryrecord GROUP BY outcome"
    assert system.sql(records) == [("sent", 2)]

    answer = system.api.http.delete(f"/api/reminders/occasions/{made['id']}")
    assert (answer.status_code, states(system)) == (204, {})
