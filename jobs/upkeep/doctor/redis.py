"""Redis, or Valkey: there, and kept from throwing away or losing messages."""

from typing import Any, Final

from redis import RedisError

from jobs.redis import PATIENT, connect
from jobs.upkeep.examination import Check, Diagnosis, ok, problem, register_check, warning

#: Share of the memory in use above which it becomes tight.
TIGHT: Final = 0.8
MIB: Final = 2**20


def _info() -> dict[str, Any]:
    found: dict[str, Any] = connect(timeout=PATIENT).info()
    return found


def _server() -> Diagnosis:
    try:
        info = _info()
    except RedisError as error:
        # Its message may hold the address with a password.
        return problem(
            f"can't be reached ({type(error).__name__}): jobs wait in PostgreSQL", "Start it, or correct REDIS_URL."
        )
    if "valkey_version" in info:
        return ok(f"Valkey {info['valkey_version']}")
    return ok(f"Redis {info.get('redis_version', '?')}")


def _eviction() -> Diagnosis:
    policy = str(_info().get("maxmemory_policy", "unknown"))
    if policy != "noeviction":
        return warning(
            f"maxmemory-policy is {policy}: wake-ups and budgets may be thrown away",
            "Set maxmemory-policy noeviction.",
        )
    return ok("noeviction")


def _persistence() -> Diagnosis:
    if not _info().get("aof_enabled"):
        return warning(
            "appendonly is off: after a restart budgets are worked out anew, which takes a minute",
            "Set appendonly yes.",
        )
    return ok("appendonly")


def _memory() -> Diagnosis:
    info = _info()
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not limit:
        return ok(f"{used / MIB:,.0f} MiB used, no limit")
    said = f"{used / MIB:,.0f} of {limit / MIB:,.0f} MiB used"
    if used >= limit:
        return problem(said, "Raise maxmemory: nothing more is taken in.")
    return warning(said, "Raise maxmemory.") if used > TIGHT * limit else ok(said)


register_check(Check("redis", _server))
register_check(Check("redis_eviction", _eviction, needs=("redis",)))
register_check(Check("redis_persistence", _persistence, needs=("redis",)))
register_check(Check("redis_memory", _memory, needs=("redis",)))
