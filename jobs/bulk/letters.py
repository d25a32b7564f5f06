"""What can be done to many dead letters."""

from collections.abc import Sequence
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext_noop, ngettext

from jobs import deadletters
from jobs.actor import Actor
from jobs.bulk.actions import Action, Asked, Outcome, Words, Written, register
from jobs.bulk.criteria import door
from jobs.bulk.keyset import ByNumber
from jobs.models import DeadLetter
from jobs.states import Source


def _retry_outlook(letters: QuerySet[DeadLetter]) -> Outcome:
    outlook = deadletters.retry_outlook(letters)
    return Outcome(outlook.requeued, outlook.reasons)


def _retry(ids: Sequence[int], asked: Asked, written: Written | None) -> Outcome:
    kinds, reasons = deadletters.retry_chunk(ids, Actor(asked.by, Source.DLQ_RETRY), written)
    return Outcome(sum(kinds.values()), reasons, kinds)


def _resolve_outlook(letters: QuerySet[DeadLetter]) -> Outcome:
    outlook = deadletters.resolve_outlook(letters)
    return Outcome(outlook.resolved, outlook.reasons)


def _resolve(ids: Sequence[int], asked: Asked, written: Written | None) -> Outcome:
    return Outcome(*deadletters.resolve_chunk(ids, asked.by, asked.note, written))


#: The door of criteria that are the fields of a request to retry dead letters.
API: Final = "api"

door(API, lambda action, said: deadletters.matching(**said))


def _selected(letters: int) -> str:
    told = ngettext("%(total)s selected dead letter", "%(total)s selected dead letters", letters)
    return told % {"total": f"{letters:,}"}


#: What the person chose by filter.
_MATCHING: Final = gettext_noop("All %(total)s dead letters that match")
_EVERY: Final = gettext_noop("All %(total)s dead letters")

RETRY_LETTERS: Final = register(
    Action(
        name="retry_dead_letters",
        model=DeadLetter,
        entry="requeued",
        words=Words(
            title=gettext_noop("Retry dead letters"),
            selected=_selected,
            matching=_MATCHING,
            every=_EVERY,
            outlook=gettext_noop("Would be requeued"),
            done=gettext_noop("Requeued"),
            button=gettext_noop("Retry %(count)s"),
            outcome=gettext_noop("%(changed)s requeued, %(skipped)s skipped"),
        ),
        permission="jobs.retry_job",
        keyset=ByNumber(),
        outlook=_retry_outlook,
        apply=_retry,
        paced=True,
    )
)
RESOLVE_LETTERS: Final = register(
    Action(
        name="resolve_dead_letters",
        model=DeadLetter,
        entry="resolved",
        words=Words(
            title=gettext_noop("Resolve dead letters"),
            selected=_selected,
            matching=_MATCHING,
            every=_EVERY,
            outlook=gettext_noop("Would be resolved"),
            done=gettext_noop("Resolved"),
            button=gettext_noop("Resolve %(count)s"),
            outcome=gettext_noop("%(changed)s resolved, %(skipped)s skipped"),
            note=gettext_noop("Note (kept with each dead letter, and in the log)"),
        ),
        permission="jobs.resolve_deadletter",
        keyset=ByNumber(),
        outlook=_resolve_outlook,
        apply=_resolve,
    )
)
