"""What `manage.py embed_businesses` does, by what it was asked for."""

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO
from uuid import UUID

from embeddings.cli import checks
from embeddings.cli.follow import follow, look
from embeddings.cli.options import LAST, Asked, Misuse, understand
from embeddings.cli.people import ForPeople
from embeddings.cli.programs import ForPrograms
from embeddings.cli.signals import Interruptions
from embeddings.cli.watching import Report, follows, resume_command, see_through, watch
from embeddings.cli.words import INTERRUPTED, NOT_STARTED, Problem, Refused, command, obstacle, typed
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.selectors import coverage
from embeddings.services import dry_run, embed_all, latest_run
from embeddings.source import text_source
from jobs import runs
from jobs.actor import current_actor
from jobs.clean import clean
from jobs.database import OPERATIONAL
from jobs.inline import Crew
from jobs.kinds import get_kind
from jobs.lifecycle import StateConflict
from jobs.models import Run
from jobs.runs.attend import settle
from jobs.runs.start import ACTIVE, feed_of

State = Run.State

#: Exit code of a command whose reader has gone away, as a shell has it for SIGPIPE.
NO_READER: Final = 141
#: The reader of a pipe, or the terminal, is gone.
_NOBODY: Final = (errno.EPIPE, errno.EIO)
#: Seconds between two looks at a run that is stopping.
LOOK_EVERY: Final = 0.2
#: Logs of this command: what a person sees says the rest.
LOG_LEVEL: Final = logging.WARNING
LOG_LEVEL_ABOVE_A_BAR: Final = logging.ERROR


def run(given: dict[str, Any], out: TextIO, err: TextIO) -> int:
    """Do what the options ask for, and return the exit code."""
    report: Report = ForPrograms(out) if given["json"] else ForPeople(out, err, plain=given.get("no_color", False))
    try:
        with _quiet(LOG_LEVEL_ABOVE_A_BAR if report.asks else LOG_LEVEL):
            return _act(understand(given), report)
    except Misuse as error:
        report.refused([Problem("options", str(error))])
    except Refused as error:
        report.refused(error.problems)
    except OPERATIONAL as error:
        report.refused([Problem("database", f"PostgreSQL went away: {clean(str(error)).strip().splitlines()[0]}")])
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno not in _NOBODY:
            raise
        _fall_silent()
        return NO_READER
    finally:
        with contextlib.suppress(OSError):
            report.halt()
    return NOT_STARTED


def _fall_silent() -> None:
    """Write nowhere from now on: Python's own last flush would complain."""
    with contextlib.suppress(OSError, ValueError):
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.close(silence)


def _act(asked: Asked, report: Report) -> int:
    checks.check_database()
    if asked.act == "status":
        return _status(asked, report)
    if asked.act == "stop":
        return _stop(asked, report)
    _check_choice(asked)
    if asked.act == "dry_run":
        report.dry_run(dry_run(asked.options), coverage())
        return 0
    if asked.act == "resume":
        return _resume(asked, report)
    return _start(asked, report)


def _check_choice(asked: Asked) -> None:
    """Raise `Refused` for a model that is not in use, and a category that nothing has."""
    checks.check_model(asked.model)
    category = asked.options.get("category")
    if category and not text_source().subjects(category=category).exists():
        raise Refused(Problem("category", f"No business is of the category {category!r}."))


def _start(asked: Asked, report: Report) -> int:
    active = _latest()
    if active is not None and active.state in ACTIVE:
        raise _busy(active)
    if not feed_of(get_kind(GENERATE_EMBEDDING)).count(asked.options):
        report.nothing_to_do(coverage())
        return 0
    for note in checks.check_all(inline=asked.inline, again=typed()):
        report.note(note)
    before = coverage()
    with Interruptions() as interruptions:
        try:
            started = embed_all(asked.options, actor=current_actor())
        except runs.RunActive as error:
            raise _busy(error.run) from None
        report.began(started, before, again=False, following=follows(asked, report))
        return see_through(started.id, asked, report, interruptions)


def _resume(asked: Asked, report: Report) -> int:
    run = _wanted_run(asked.resume)
    for note in checks.check_all(inline=asked.inline, again=typed()):
        report.note(note)
    with Interruptions() as interruptions:
        if run.state == State.STOPPING and not _await_stop(run, asked, report, interruptions):
            return INTERRUPTED
        if run.state not in ACTIVE:
            try:
                run = runs.resume(run.id)
            except runs.RunActive as error:
                raise _busy(error.run) from None
            except StateConflict as error:
                raise Refused(Problem("state", str(error))) from None
        report.began(run, coverage(), again=True, following=follows(asked, report))
        return see_through(run.id, asked, report, interruptions)


def _await_stop(run: Run, asked: Asked, report: Report, interruptions: Interruptions) -> bool:
    """Wait until what was sent has come to its end; return False when a signal came before."""
    report.note("The run is stopping: it is resumed when what was sent has come to its end.")
    with Crew(get_kind(GENERATE_EMBEDDING)) if asked.inline else contextlib.nullcontext():
        while run.state == State.STOPPING:
            settle(run.id)
            run.refresh_from_db()
            if run.state == State.STOPPING and interruptions.wait(LOOK_EVERY):
                return False
    return True


def _wanted_run(wanted: str) -> Run:
    """Return the run to resume. Raises `Refused`."""
    if wanted == LAST:
        run = _latest()
    else:
        try:
            run = Run.objects.filter(id=UUID(wanted), kind=GENERATE_EMBEDDING).first()
        except ValueError:
            run = None
    if run is None:
        name = "There was no run yet." if wanted == LAST else f"There is no run {wanted}."
        raise Refused(Problem("not_found", name))
    if run.state == State.COMPLETED:
        raise Refused(Problem("state", f"Run {run.id} is completed: there is nothing to resume."))
    return run


def _status(asked: Asked, report: Report) -> int:
    run = _latest()
    if run is None:
        raise Refused(Problem("not_found", "There was no run yet."))
    if asked.follow and run.state in ACTIVE:
        with Interruptions() as interruptions:
            return watch(run.id, asked, report, interruptions)
    report.status(look(run.id, obstacle() if run.state in ACTIVE else ""), coverage())
    return 0


def _stop(asked: Asked, report: Report) -> int:
    run = _latest()
    if run is None or run.state != State.RUNNING:
        raise Refused(Problem("not_running", "No run is under way."))
    try:
        run = runs.stop(run.id)
    except StateConflict:
        raise Refused(Problem("not_running", "No run is under way any more.")) from None
    report.stopped(run, resume_command(run.id, asked))
    if asked.follow:
        with Interruptions() as interruptions:
            follow(run.id, report, interruptions)
            report.halt()
    return 0


def _latest() -> Run | None:
    """Return the run under way, else the last one over the whole table; bulk requests can't be steered from here."""
    run = latest_run()
    return run if run is not None and run.fed else None


def _busy(run: Run) -> Refused:
    return Refused(
        Problem(
            "run_active",
            f"Run {run.id} is {run.state}: there is one at a time."
            f" Follow it: {command('--status', '--follow')}   Stop it: {command('--stop')}",
        )
    )


@contextmanager
def _quiet(level: int) -> Iterator[None]:
    """Log what is worse than a hitch only, unless debugging is wanted."""
    root = logging.getLogger()
    before = root.level
    if before > logging.DEBUG:
        root.setLevel(max(level, before))
    try:
        yield
    finally:
        root.setLevel(before)
