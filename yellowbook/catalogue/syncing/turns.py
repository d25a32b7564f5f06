"""How fast, and how many at once, a host and a seller are asked: a token bucket each, for all workers together.

The buckets are rows, so they are the same for all workers and outlive each of them. Nobody sleeps for a turn: whoever
has to wait is told for how long, and gives its job back.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from yellowbook.catalogue.models import Turn

#: Requests that may follow each other at once after a rest.
BURST: Final = 30
#: Requests to one host at once.
AT_ONCE: Final = 2
#: How many times as long as a page may take a request is waited for before it is taken for lost: with rendering, a page
#: takes up to two times.
LOST_AFTER: Final = 2.5
#: Seconds to wait when too many requests are under way.
WHILE_BUSY: Final = 0.5

_ENTER = """
INSERT INTO catalogue_turn (key, full_at, busy_until) SELECT unnest(%s::text[]), statement_timestamp(), '{}'
    ON CONFLICT DO NOTHING
"""


def take(spacings: Mapping[str, float], *, most: Collection[str] = ()) -> float:
    """Take a turn with every key of `spacings`, all or none; return 0, or the seconds after which to try again.

    A key's bucket holds `BURST` requests and fills by one in so many seconds (its spacing). Keys in `most` allow
    `AT_ONCE` requests at once: give those back with `give_back`.
    """
    keys = sorted(spacings)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ENTER, [keys])
            cursor.execute("SELECT statement_timestamp()")
            (now,) = cursor.fetchone()
        turns = list(Turn.objects.select_for_update().filter(key__in=keys).order_by("key"))
        waits = [_wait(turn, spacings[turn.key], now, counted=turn.key in most) for turn in turns]
        if any(waits):
            return max(waits)
        for turn in turns:
            turn.full_at = max(turn.full_at, now) + timedelta(seconds=spacings[turn.key])
            if turn.key in most:
                turn.busy_until = [
                    *_under_way(turn, now),
                    now + timedelta(seconds=LOST_AFTER * settings.CATALOGUE_TIMEOUT),
                ]
            turn.save()
    return 0.0


def give_back(key: str) -> None:
    """Tell that a request to a key in `most` has ended."""
    with transaction.atomic():
        turn = Turn.objects.select_for_update().filter(key=key).first()
        if turn is not None and turn.busy_until:
            turn.busy_until = sorted(turn.busy_until)[1:]
            turn.save()


def _wait(turn: Turn, spacing: float, now: datetime, *, counted: bool) -> float:
    ahead = (turn.full_at - now).total_seconds() - (BURST - 1) * spacing
    busy = WHILE_BUSY if counted and len(_under_way(turn, now)) >= AT_ONCE else 0.0
    return max(ahead, busy, 0.0)


def _under_way(turn: Turn, now: datetime) -> list[datetime]:
    return [until for until in turn.busy_until if until > now]
