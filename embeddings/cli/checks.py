"""Whether a run could do its work: looked at before it is started, each problem with what to do about it."""

from typing import Final

from redis import RedisError

from embeddings.checks import check_provider
from embeddings.cli.words import Problem, Refused, command, paused_lane
from embeddings.current import current_model, current_provider
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.quota import limits
from jobs import startup, workers
from jobs.broker.base import rabbitmq_failure
from jobs.clean import clean
from jobs.errors import ErrorClass, JobError, RateLimited
from jobs.kinds import get_kind
from jobs.redis import IMPATIENT, connect

#: What to do when the provider says no.
_ADVICE: Final = {
    ErrorClass.AUTH: "Check GEMINI_API_KEY.",
    ErrorClass.CONFIGURATION: "Check EMBEDDING_MODEL.",
    ErrorClass.NETWORK: "Check the network, GEMINI_BASE_URL and EMBEDDING_TIMEOUT.",
    ErrorClass.QUOTA_EXHAUSTED: "The quota starts anew at midnight Pacific time.",
}


def check_database() -> None:
    """Raise `Refused` where the rows can't be read."""
    reason = startup.database_failure()
    if reason:
        raise Refused(
            Problem(
                "database", f"PostgreSQL can't be reached: {reason}. Start it (make run does), or check DATABASE_URL."
            )
        )
    try:
        startup.check_migrations()
    except startup.CannotStart as error:
        raise Refused(Problem("migrations", str(error))) from None


def check_model(asked: str) -> None:
    """Raise `Refused` unless the model is the one in use."""
    if asked and asked != current_model():
        raise Refused(
            Problem(
                "model",
                f"The model in use is {current_model()}, not {asked}. To change to it: manage.py switch_model {asked}",
            )
        )


def check_all(*, inline: bool, again: tuple[str, ...]) -> list[str]:
    """Look at everything that a run needs; return what is noteworthy.

    `again` are the arguments of this call, for the offer to do without workers. Raises `Refused` with all that is
    wrong.
    """
    notes: list[str] = []
    configuration = [Problem("provider", f"{error.msg} {error.hint or ''}".strip()) for error in check_provider()]
    problems = [*_redis(inline=inline), *_rabbitmq(inline=inline), *configuration]
    if not problems:
        problems += _provider(notes, inline=inline)
    problems += _lane(notes)
    if not inline and not workers.alive().exists():
        offer = command(*again, "--inline")
        problems.append(
            Problem("no_worker", f"No worker is alive. Start one with manage.py rundramatiq, or do without: {offer}")
        )
    if problems:
        raise Refused(*problems)
    return notes


def _redis(*, inline: bool) -> list[Problem]:
    """Workers are woken through Redis, and budgets are kept there; work here without a budget needs neither."""
    if inline and limits().unlimited:
        return []
    try:
        connect(timeout=IMPATIENT).ping()
    except RedisError as error:
        reason = clean(str(error)).strip().rstrip(".")
        return [Problem("redis", f"Redis can't be reached: {reason}. Start it (make run does), or check REDIS_URL.")]
    return []


def _rabbitmq(*, inline: bool) -> list[Problem]:
    """Workers may be woken through RabbitMQ instead; work here needs none."""
    reason = "" if inline else rabbitmq_failure()
    return (
        [Problem("rabbitmq", f"RabbitMQ can't be reached: {reason}. Start it, or check BROKER_URL.")] if reason else []
    )


def _provider(notes: list[str], *, inline: bool) -> list[Problem]:
    """Try the provider with one short text, where it may refuse us."""
    probe = get_kind(GENERATE_EMBEDDING).probe
    try:
        if inline:
            current_provider()
        if probe is not None:
            probe()
    except RateLimited as error:
        notes.append(f"The provider could not be tried now: {clean(error.message)}")
    except JobError as error:
        advice = _ADVICE.get(error.error_class, "Try again later.")
        said = clean(error.message).strip().rstrip(".")
        return [Problem("provider", f"The provider says no ({error.error_class}): {said}. {advice}")]
    return []


def _lane(notes: list[str]) -> list[Problem]:
    """A lane that is paused without an end would have the run wait for ever."""
    lane = paused_lane()
    if lane is None:
        return []
    why = f"by {lane.paused_by}: {lane.pause_reason or 'no reason given'}".rstrip(".")
    if lane.paused_until is not None:
        notes.append(f"The lane is paused until {lane.paused_until:%A %H:%M} UTC {why}.")
        return []
    return [
        Problem(
            "lane_paused",
            f"The lane is paused {why}. Resume it in the admin (Lanes),"
            f" or by POST /api/admin/lanes/{GENERATE_EMBEDDING}/resume.",
        )
    ]
