"""What people do with a run."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from jobs.actor import Actor
from jobs.enqueue import enqueue_many
from jobs.lifecycle import StateConflict
from jobs.lifecycle.steer import leave_run
from jobs.models import JobExecution, Run
from jobs.runs.attend import call_off, feed, settle
from jobs.runs.start import RunActive, State, active_run
from jobs.states import Operation

#: A run in these states can be taken up again.
RESUMABLE = (State.STOPPED, State.FAILED)


def stop(run_id: UUID) -> Run:
    """Make no more jobs, and call off those that wait for nobody else; what was sent already comes to its end.

    Raises `Run.DoesNotExist`, and `StateConflict` for a run that is not running.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(id=run_id)
        if run.state != State.RUNNING:
            told = _("The run is %(state)s: only a running one can be stopped.")
            raise StateConflict(told % {"state": _(run.state)})
        Run.objects.filter(id=run_id).update(state=State.STOPPING)
        call_off(run_id)
    settle(run_id)
    run.refresh_from_db()
    return run


def resume(run_id: UUID) -> Run:
    """Go on where a run was stopped: the jobs that were called off are made again, then the rest is fed.

    Raises `Run.DoesNotExist`, `StateConflict` for a run that was not stopped, and `RunActive` when another one of its
    kind is under way.
    """
    try:
        with transaction.atomic():
            run = Run.objects.select_for_update(no_key=True).get(id=run_id)
            if run.state not in RESUMABLE:
                told = _("The run is %(state)s: only one that was stopped, or failed, can be resumed.")
                raise StateConflict(told % {"state": _(run.state)})
            again = leave_run(run_id)
            Run.objects.filter(id=run_id).update(
                state=State.RUNNING,
                resumed_at=Now(),
                finished_at=None,
                error="",
                samples=[],
                fed_all=run.fed_all and not (again and run.fed),
                made=F("made") - len(again),
                cursor=_before(run, min(again)) if again and run.fed else run.cursor,
            )
            if again and not run.fed:
                actor = Actor(run.requested_by, run.source)
                enqueue_many(run.kind, sorted(again), operation=Operation.BULK, priority="low", actor=actor, run=run)
    except IntegrityError:
        active = active_run(run.kind)
        if active is None:
            raise
        raise RunActive(active) from None
    feed(run_id)
    run.refresh_from_db()
    return run


def _before(run: Run, subject: str) -> str:
    """Return the subject to feed after, so that `subject` is the next one; what has a job in the run is left out."""
    earlier = JobExecution.objects.filter(run=run, subject__lt=subject).order_by("-subject")
    return earlier.values_list("subject", flat=True).first() or run.options.get("resume_from") or ""
