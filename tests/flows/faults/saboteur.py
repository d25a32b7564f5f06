"""Loaded by a worker after `jobs.actors`: breaks its own process at a named step, once.

The product knows nothing of it. `SABOTAGE` names the step and what happens there, `SABOTAGE_MARK` a file that is
written just before: one line for each subject that the process has claimed and not yet ended.

    KILL   the process ends at once
    STOP   it is frozen until somebody sends SIGCONT
    CUT    PostgreSQL ends the connection of the thread that got there
    HANG   only the thread that got there waits, until somebody writes to `SABOTAGE_MARK`.fifo
"""

import os
import signal
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

import embeddings.generate
import jobs.execute
import jobs.workers
from embeddings.google import transport
from jobs.broker.redis import WakeConsumer

STEP, _, ACTION = os.environ["SABOTAGE"].partition("/")
MARK = Path(os.environ["SABOTAGE_MARK"])

_in_hand: dict[Any, list[str]] = {}


class _Place(threading.local):
    """Which function of ours the thread is in."""

    inside = ""


_place = _Place()


def reach(step: str) -> None:
    """Break down, if this is the step and nobody did so before."""
    if step != STEP:
        return
    taken = Path(f"{MARK}.taken")
    try:
        with taken.open("x", encoding="utf-8") as file:
            file.writelines(f"{subject}\n" for subjects in _in_hand.values() for subject in subjects)
    except FileExistsError:
        return
    if ACTION == "HANG":
        os.mkfifo(f"{MARK}.fifo")
    MARK.hardlink_to(taken)
    if ACTION == "HANG":
        os.close(os.open(f"{MARK}.fifo", os.O_RDONLY))
    elif ACTION == "CUT":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    else:
        os.kill(os.getpid(), {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP}[ACTION])


def around(function: Callable[..., Any], before: str, after: str, inside: str = "") -> Callable[..., Any]:
    """Return a function that reaches a step before and one after it has done what `function` does."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        reach(before)
        outer, _place.inside = _place.inside, inside or _place.inside
        try:
            result = function(*args, **kwargs)
        finally:
            _place.inside = outer
        reach(after)
        return result

    return wrapped


def remember(claim: Callable[..., Any]) -> Callable[..., Any]:
    """Note what was claimed."""

    @wraps(claim)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        claimed = claim(*args, **kwargs)
        if claimed is not None:
            _in_hand[claimed.lease_id] = [job.subject for job in claimed.jobs]
            reach("claimed")
        return claimed

    return wrapped


def forget(finish: Callable[..., Any]) -> Callable[..., Any]:
    """Note what has ended."""

    @wraps(finish)
    def wrapped(claimed: Any, *args: Any, **kwargs: Any) -> Any:
        counts = finish(claimed, *args, **kwargs)
        _in_hand.pop(claimed.lease_id, None)
        return counts

    return wrapped


def watch_commits(commit: Callable[..., Any]) -> Callable[..., Any]:
    """Reach a step before and after the commits of claims, of outcomes and of what is taken back."""

    @wraps(commit)
    def wrapped(connection: BaseDatabaseWrapper) -> None:
        if not _place.inside:
            commit(connection)
            return
        reach(f"committing {_place.inside}")
        commit(connection)
        reach(f"committed {_place.inside}")

    return wrapped


def replace(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a wrapped function or method in place of the one of that name."""
    setattr(owner, name, wrap(getattr(owner, name)))


replace(jobs.execute, "claim", lambda claim: remember(around(claim, "claiming", "", "a claim")))
replace(jobs.execute, "finish", lambda finish: forget(around(finish, "", "", "the outcome")))
replace(jobs.workers, "release_worker", lambda release: around(release, "", "", "what a lost worker held"))
replace(embeddings.generate, "_read", lambda read: around(read, "reading", ""))
replace(embeddings.generate, "embed_texts", lambda embed: around(embed, "calling", "answered"))
replace(transport._Stream, "read", lambda read: around(read, "waiting for the answer", ""))
replace(WakeConsumer, "ack", lambda ack: around(ack, "acking", "acked"))
replace(BaseDatabaseWrapper, "commit", watch_commits)
