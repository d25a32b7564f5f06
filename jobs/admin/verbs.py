"""The two ways to settle dead letters in the admin, and what a person confirms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import validate_comma_separated_integer_list
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from jobs import deadletters
from jobs.deadletters import Written
from jobs.models import DeadLetter

_BIGGEST_ID = 2**63 - 1

#: How many letters changed, and how many were left alone for which reason.
Outcome = tuple[int, Mapping[str, int]]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One way to settle dead letters."""

    #: Part of addresses and of the names of URLs.
    name: str
    #: What was done to a letter, as the admin's log says it.
    done: str
    #: The same as people are told it: the page's title, what would come of it, the button, what has come of it.
    title: str
    outlook_label: str
    button: str
    outcome: str
    #: Who may.
    permission: str
    #: What would come of it.
    outlook: Callable[[QuerySet[DeadLetter]], Outcome]
    #: Does it, in a person's name and with a note.
    settle: Callable[[QuerySet[DeadLetter], str, str, Written], Outcome]


def _retry_outlook(letters: QuerySet[DeadLetter]) -> Outcome:
    outlook = deadletters.retry_outlook(letters)
    return outlook.requeued, outlook.reasons


def _retry(letters: QuerySet[DeadLetter], by: str, note: str, written: Written) -> Outcome:
    done = deadletters.retry_letters(letters, triggered_by=by, written=written)
    return done.requeued, done.reasons


def _resolve_outlook(letters: QuerySet[DeadLetter]) -> Outcome:
    outlook = deadletters.resolve_outlook(letters)
    return outlook.resolved, outlook.reasons


def _resolve(letters: QuerySet[DeadLetter], by: str, note: str, written: Written) -> Outcome:
    done = deadletters.resolve_letters(letters, resolved_by=by, note=note, written=written)
    return done.resolved, done.reasons


RETRY = Verb(
    name="retry",
    done="requeued",
    title=gettext_noop("Retry dead letters"),
    outlook_label=gettext_noop("Would be requeued"),
    button=gettext_noop("Retry %(count)s"),
    outcome=gettext_noop("%(changed)s requeued, %(skipped)s skipped"),
    permission="jobs.retry_job",
    outlook=_retry_outlook,
    settle=_retry,
)
RESOLVE = Verb(
    name="resolve",
    done="resolved",
    title=gettext_noop("Resolve dead letters"),
    outlook_label=gettext_noop("Would be resolved"),
    button=gettext_noop("Resolve %(count)s"),
    outcome=gettext_noop("%(changed)s resolved, %(skipped)s skipped"),
    permission="jobs.resolve_deadletter",
    outlook=_resolve_outlook,
    settle=_resolve,
)


def told_reason(reason: str) -> str:
    """Return in the reader's language why letters are left alone; `jobs.deadletters` has the reasons."""
    before, its, status = reason.partition(deadletters.ITS_JOB)
    return gettext("its job is %(status)s") % {"status": gettext(status)} if its and not before else gettext(reason)


class SettleForm(forms.Form):
    """What the person confirmed: letters by id, or all up to an id that match the address's filter; and a note."""

    letters = forms.CharField(
        required=False, max_length=10_000, validators=[validate_comma_separated_integer_list], widget=forms.HiddenInput
    )
    up_to = forms.IntegerField(required=False, min_value=0, max_value=_BIGGEST_ID, widget=forms.HiddenInput)
    note = forms.CharField(
        required=False, max_length=2000, label=gettext_lazy("Note"), widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean_letters(self) -> list[int]:
        """Return the ids."""
        return [int(each) for each in self.cleaned_data["letters"].split(",") if each and int(each) <= _BIGGEST_ID]

    def clean(self) -> dict[str, Any]:
        """Refuse a request that names nothing."""
        given = super().clean() or self.cleaned_data
        if not self.errors and not given["letters"] and given["up_to"] is None:
            raise forms.ValidationError(gettext("Name dead letters, or a filter that was asked about first."))
        return given
