"""Redis: there, keeping everything, and on disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext_noop
from redis import Redis, RedisError

from jobs.alerts.rules import AlertRule, Finding, Severity, register_rule
from jobs.redis import IMPATIENT, connect


@contextmanager
def _asked() -> Iterator[Redis]:
    """Open a connection for a moment: the next look should tell whether a new one can be had."""
    client = connect(timeout=IMPATIENT)
    try:
        yield client
    finally:
        client.connection_pool.disconnect()


def redis_away(threshold: float) -> Finding:
    """Tell whether Redis answers."""
    try:
        with _asked() as client:
            client.ping()
    except (RedisError, OSError) as error:
        return Finding(True, 0, f"Redis does not answer ({type(error).__name__}): jobs wait in PostgreSQL.")
    return Finding(False, 1, "Redis answers.")


def redis_unsafe(threshold: float) -> Finding:
    """Find what would make Redis forget; one that is away is another rule's business."""
    try:
        with _asked() as client:
            wrong = _faults(client)
    except (RedisError, OSError):
        return Finding(False, None, "Redis does not answer.")
    if not wrong:
        return Finding(False, 0, "Redis keeps what it is given, and writes it to disk.")
    return Finding(True, len(wrong), f"Redis may forget: {' and '.join(wrong)}.")


def _faults(client: Redis) -> list[str]:
    """Return what is wrong with the server's settings. `INFO` tells nearly all, for `CONFIG` may be forbidden."""
    known: dict[str, Any] = {**client.info("memory"), **client.info("persistence")}
    faults = []
    policy = known.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        faults.append(f"maxmemory-policy is {policy}")
    if known.get("aof_enabled"):
        if known.get("aof_last_write_status", "ok") != "ok":
            faults.append("the last write of its append-only file failed")
    elif not _has_snapshots(client):
        faults.append("appendonly is no and it takes no snapshots")
    elif known.get("rdb_last_bgsave_status", "ok") != "ok":
        faults.append("its last snapshot failed")
    return faults


def _has_snapshots(client: Redis) -> bool:
    """Tell whether it writes snapshots; a server that does not let us ask is believed to."""
    try:
        return bool(client.config_get("save").get("save", ""))
    except RedisError:
        return True


register_rule(
    AlertRule(
        name="redis_away",
        title=gettext_noop("Redis is away"),
        check=redis_away,
        says=(
            gettext_noop("Redis answers."),
            gettext_noop("Redis does not answer (%(error)s): jobs wait in PostgreSQL."),
        ),
        next_step=gettext_noop("Start it, or see REDIS_URL. Nothing is lost: the work goes on once it is back."),
    )
)
register_rule(
    AlertRule(
        name="redis_unsafe",
        title=gettext_noop("Redis may forget"),
        check=redis_unsafe,
        says=(
            gettext_noop("Redis does not answer."),
            gettext_noop("Redis keeps what it is given, and writes it to disk."),
            gettext_noop("Redis may forget: %(faults)s."),
        ),
        severity=Severity.WARNING,
        next_step=gettext_noop("Set maxmemory-policy noeviction and appendonly yes, and see that its disk has room."),
    )
)
