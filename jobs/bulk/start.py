"""How a bulk action begins, and what the admin's log says of it."""

from typing import Any, Final

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

from jobs.actor import Actor
from jobs.bulk.actions import Action, Asked
from jobs.bulk.criteria import Criteria
from jobs.enqueue import enqueue
from jobs.models import BulkAction
from jobs.states import Operation, Priority

#: The kind of the jobs that do the work, and their lane.
BULK_ACTION: Final = "bulk_action"
#: The highest rate that can be asked for: more than workers do.
FASTEST: Final = 10_000


def start(
    action: Action,
    criteria: Criteria,
    rows: QuerySet[Any],
    asked: Asked,
    *,
    up_to: str = "",
    per_second: int | None = None,
) -> BulkAction:
    """Have it done in the background to `rows`, which `criteria` and `up_to` find again.

    With `per_second`, no more than so many rows are changed in any second. Written with its job and its entry in the
    admin's log in one transaction.
    """
    with transaction.atomic():
        bulk = BulkAction.objects.create(
            action=action.name,
            criteria=criteria,
            up_to=up_to,
            requested_by=asked.by,
            source=asked.source,
            note=asked.note,
            per_second=per_second,
            total=rows.order_by().count(),
        )
        bulk.refresh_from_db()
        make_job(bulk)
        said = f"{action.name} asked for: {bulk.total} rows match"
        log(bulk, f"{said}: {asked.note}" if asked.note else said, flag=ADDITION)
    return bulk


def make_job(bulk: BulkAction) -> None:
    """Make the job that does the work, or join the one that waits."""
    enqueue(
        BULK_ACTION,
        subject=bulk.id,
        operation=Operation.BULK,
        priority=Priority.NORMAL,
        actor=Actor(bulk.requested_by, bulk.source),
        metadata={"original_name": bulk.action},
    )


def log(bulk: BulkAction, message: str, *, by: str | None = None, flag: int = CHANGE) -> None:
    """Write a line into the admin's log in the name of whoever asked for it, or `by`; nobody's if the user is gone."""
    model = get_user_model()
    user = model._default_manager.filter(**{model.USERNAME_FIELD: by or bulk.requested_by}).first()
    if user is not None:
        LogEntry.objects.log_actions(user.pk, [bulk], flag, message)
