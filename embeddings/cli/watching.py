"""From the start of a run to its end, or to Ctrl-C: follow it, do its work where that is asked for, sum up."""

import contextlib
import signal
import sys
from uuid import UUID

from embeddings.cli.follow import follow, look
from embeddings.cli.options import Asked
from embeddings.cli.people import ForPeople
from embeddings.cli.programs import ForPrograms
from embeddings.cli.signals import Interruptions
from embeddings.cli.words import command, exit_code
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.selectors import coverage
from jobs import runs, workers
from jobs.inline import Crew
from jobs.kinds import get_kind
from jobs.lifecycle import StateConflict
from jobs.models import Run
from jobs.runs.attend import settle
from jobs.runs.steer import RESUMABLE

Report = ForPeople | ForPrograms


def follows(asked: Asked, report: Report) -> bool:
    """Follow as asked; else where this process does the work, and where somebody sits at a terminal."""
    if asked.follow is not None:
        return asked.follow
    return asked.inline or (not asked.json and report.asks and sys.stdout.isatty())


def see_through(run_id: UUID, asked: Asked, report: Report, interruptions: Interruptions) -> int:
    """Stay with a run as long as was asked for; return the exit code."""
    if not follows(asked, report):
        return 0
    if asked.inline:
        # After a second Ctrl-C: what was under way has been given back.
        with contextlib.suppress(KeyboardInterrupt):
            _work(run_id, report, interruptions)
        settle(run_id)
        return _conclude(run_id, asked, report, interruptions)
    return watch(run_id, asked, report, interruptions)


def watch(run_id: UUID, asked: Asked, report: Report, interruptions: Interruptions) -> int:
    """Follow a run on which others work; return the exit code."""
    follow(run_id, report, interruptions)
    report.halt()
    return _conclude(run_id, asked, report, interruptions)


def _work(run_id: UUID, report: Report, interruptions: Interruptions) -> None:
    """Work on a run and follow it. Left before its end, it is stopped where nobody else would work on it."""
    ended = None
    with Crew(get_kind(GENERATE_EMBEDDING)) as crew:
        try:
            ended = follow(run_id, report, interruptions)
            report.halt()
        finally:
            crew.rest()
            if ended is None and not workers.others_alive():
                _stop(run_id)
        if ended is None:
            report.note("Waiting for what was sent already. Ctrl-C once more gives it back at once.")


def _conclude(run_id: UUID, asked: Asked, report: Report, interruptions: Interruptions) -> int:
    """Sum up a run that has ended; else ask what shall become of it, and say how to go on."""
    sight = look(run_id)
    if sight.progress.run.state == Run.State.RUNNING and _wants_stop(report, interruptions):
        _stop(run_id)
        sight = look(run_id)
    run, caught = sight.progress.run, interruptions.caught
    if caught is None or run.state == Run.State.COMPLETED:
        code = exit_code(sight.progress)
        resume = resume_command(run_id, asked) if run.state in RESUMABLE else ""
        report.ended(sight.progress, coverage(), code, resume)
        return code
    if run.state == Run.State.RUNNING:
        commands = {"follow": command("--status", "--follow"), "stop": command("--stop")}
    else:
        commands = {"resume": resume_command(run_id, asked)}
    report.interrupted(run_id, run.state, commands)
    return 128 + caught


def _wants_stop(report: Report, interruptions: Interruptions) -> bool:
    """Ask whoever pressed Ctrl-C; without an answer the run goes on."""
    if interruptions.caught != signal.SIGINT or not report.asks or not sys.stdin.isatty():
        return False
    sys.stderr.write("Stop the run? Otherwise it goes on in the background. [y/N] ")
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return False


def _stop(run_id: UUID) -> None:
    """Stop a run, unless it has ended or somebody else stopped it meanwhile."""
    with contextlib.suppress(StateConflict):
        runs.stop(run_id)


def resume_command(run_id: UUID, asked: Asked) -> str:
    """Return the command that takes the run up again in the same way."""
    ways = [flag for flag, wanted in (("--inline", asked.inline), ("--json", asked.json)) if wanted]
    return command("--resume", str(run_id), *ways)
