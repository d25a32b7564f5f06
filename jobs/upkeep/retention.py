"""What the rows of `jobs` are kept for. A dead letter that nobody has settled is kept for ever, and its job with it."""

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from jobs.clock import ago
from jobs.idempotency import KEEP
from jobs.models import (
    Attempt,
    BulkAction,
    DeadLetter,
    IdempotentRequest,
    JobExecution,
    PeriodicTask,
    Run,
    Sample,
    Step,
    Tally,
    WorkerProcess,
)
from jobs.runs.start import ACTIVE
from jobs.states import FINISHED
from jobs.upkeep.pruners import Delete, Pruner, register

State = WorkerProcess.State


def delete_dead_letters(age: float, limit: int) -> int:
    """Delete dead letters that were settled so long ago."""
    old = DeadLetter.objects.filter(resolved_at__lt=ago(age)).order_by("resolved_at")
    return DeadLetter.objects.filter(id__in=list(old.values_list("id", flat=True)[:limit])).delete()[0]


def delete_jobs(age: float, limit: int) -> int:
    """Delete jobs that ended so long ago and left no dead letter, with their attempts."""
    letters = DeadLetter.objects.filter(job=OuterRef("pk"))
    old = (
        JobExecution.objects.filter(~Exists(letters), finished_at__lt=ago(age), status__in=FINISHED)
        .order_by("finished_at")
        .select_for_update(skip_locked=True)
    )
    with transaction.atomic():
        ids = list(old.values_list("id", flat=True)[:limit])
        Attempt.objects.filter(job__in=ids).delete()
        PeriodicTask.objects.filter(last_job__in=ids).update(last_job=None)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM jobs_jobexecution WHERE id = ANY(%s)", [ids])
    return len(ids)


def delete_runs(age: float, limit: int) -> int:
    """Delete runs that were made so long ago, are not under way and have no job any more, with their counts.

    They are locked first: whoever resumes one comes before or finds it gone, and no job is deleted with its run.
    """
    jobs = JobExecution.objects.filter(run=OuterRef("pk"))
    old = (
        Run.objects.exclude(state__in=ACTIVE)
        .filter(~Exists(jobs), created_at__lt=ago(age))
        .order_by("created_at")
        .select_for_update(skip_locked=True)
    )
    with transaction.atomic():
        ids = list(old.values_list("id", flat=True)[:limit])
        Run.objects.filter(id__in=ids).delete()
    return len(ids)


def delete_bulk_actions(age: float, limit: int) -> int:
    """Delete bulk actions that ended so long ago."""
    old = BulkAction.objects.filter(finished_at__lt=ago(age)).order_by("finished_at")
    return BulkAction.objects.filter(id__in=list(old.values_list("id", flat=True)[:limit])).delete()[0]


def delete_workers(age: float, limit: int) -> int:
    """Delete worker processes that are gone for so long."""
    gone = WorkerProcess.objects.filter(state__in=[State.STOPPED, State.LOST], last_heartbeat_at__lt=ago(age))
    return WorkerProcess.objects.filter(name__in=list(gone.values_list("name", flat=True)[:limit])).delete()[0]


def delete_idempotent_requests(age: float, limit: int) -> int:
    """Delete answers that are no longer given."""
    old = IdempotentRequest.objects.filter(created_at__lt=ago(age)).order_by("created_at")
    return IdempotentRequest.objects.filter(id__in=list(old.values_list("id", flat=True)[:limit])).delete()[0]


#: Days for which history is kept: by the minute for the charts of an hour, by the hour for those of days and weeks.
MINUTES_FOR, HOURS_FOR = 2, 400


def delete_history(step: Step) -> Delete:
    """Return what deletes tallies and samples of one step."""

    def delete(age: float, limit: int) -> int:
        deleted = 0
        for model in (Tally, Sample):
            old = model._default_manager.filter(step=step, at__lt=ago(age)).order_by("at")
            ids = list(old.values_list("pk", flat=True)[: limit - deleted])
            deleted += model._default_manager.filter(pk__in=ids).delete()[0]
        return deleted

    return delete


# Dead letters first: a job goes when its letters are gone; runs last, for the same reason.
register(Pruner("dead_letters", lambda: settings.RETENTION_DEAD_LETTERS_DAYS, delete_dead_letters))
register(Pruner("jobs", lambda: settings.RETENTION_JOBS_DAYS, delete_jobs))
register(Pruner("runs", lambda: settings.RETENTION_RUNS_DAYS, delete_runs))
register(Pruner("bulk_actions", lambda: settings.RETENTION_RUNS_DAYS, delete_bulk_actions))
register(Pruner("workers", lambda: settings.RETENTION_WORKERS_DAYS, delete_workers))
register(Pruner("idempotent_requests", lambda: KEEP / 86_400, delete_idempotent_requests))
register(Pruner("history_by_minute", lambda: MINUTES_FOR, delete_history(Step.MINUTE)))
register(Pruner("history_by_hour", lambda: HOURS_FOR, delete_history(Step.HOUR)))
