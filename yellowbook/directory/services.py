"""Writing businesses, one at a time. Each function is one transaction, jobs included; many rows go through `importer`.

Who asks for the jobs is taken from `jobs.actor.acting_as`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.enqueue import Enqueued, enqueue
from jobs.lifecycle import cancel_waiting
from jobs.states import Operation, Priority
from yellowbook.directory.changes import tell_deleted
from yellowbook.directory.models import Business

#: Why a job was called off, as its `result` shows it.
SUBJECT_DELETED = "subject deleted"


def create_business(values: Mapping[str, Any]) -> Business:
    """Add a business; `embedding_job` of the result is the job that embeds it.

    `values` are field values that passed the fields' own validation. Raises `ValidationError` by field for what
    concerns several fields or other rows.
    """
    business = Business(**values)
    business.clean()
    with transaction.atomic(), _external_id_is_free():
        business.save(force_insert=True)
    return business


def update_business(business_id: UUID, changes: Mapping[str, Any]) -> Business:
    """Write `changes` into a business and nothing else; `embedding_job` is None when its text stayed as it was.

    The row is locked while it is changed, so two updates at once both count. Values equal to the stored ones write
    nothing. Raises `Business.DoesNotExist`, and `ValidationError` as `create_business` does.
    """
    with transaction.atomic(), _external_id_is_free():
        business = Business.objects.select_for_update(no_key=True).get(pk=business_id)
        changed = [name for name, value in changes.items() if getattr(business, name) != value]
        if changed:
            business.stored_text = business.text_fields()
            for name in changed:
                setattr(business, name, changes[name])
            business.clean()
            business.save(update_fields=changed)
    return business


def delete_business(business_id: UUID) -> None:
    """Delete a business with its vectors and waiting jobs; raises `Business.DoesNotExist`."""
    _, by_model = Business.objects.filter(pk=business_id).delete()
    if not by_model.get(Business._meta.label):
        raise Business.DoesNotExist


def text_changed(business: Business, *, created: bool) -> Enqueued:
    """Have the text of `business` embedded, and note the job on the instance; call it in the save's transaction."""
    business.embedding_job = enqueue(
        GENERATE_EMBEDDING,
        subject=business.pk,
        operation=Operation.CREATE if created else Operation.UPDATE,
        priority=Priority.HIGH if created else Priority.NORMAL,
        metadata={"original_name": business.name},
    )
    return business.embedding_job


def business_deleted(business: Business) -> None:
    """Call off the waiting jobs of a business that is about to be deleted in this transaction.

    The row is locked first: whoever saves it or stores a vector for it is either done, and what they wrote goes too, or
    finds the row gone.
    """
    list(Business.objects.select_for_update().filter(pk=business.pk).values_list("pk"))
    cancel_waiting([business.pk], reason=SUBJECT_DELETED)
    tell_deleted([business.pk])


@contextmanager
def _external_id_is_free() -> Iterator[None]:
    """Turn the database's refusal of a second business with one external id into a `ValidationError`."""
    try:
        yield
    except IntegrityError as error:
        if not is_external_id_taken(error):
            raise
        message = "Another business has this external id."
        raise ValidationError({"external_id": ValidationError(message, code="unique")}) from error


def is_external_id_taken(error: IntegrityError) -> bool:
    """Tell whether the database refused a row because another one has its external id."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) == "business_external_id_unique"
