"""The two ways to settle dead letters in the admin, and what a person confirms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import validate_comma_separated_integer_list
from django.db.models import QuerySet

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
    #: What was done to a letter, as messages say it.
    done: str
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


RETRY = Verb(name="retry", done="requeued", permission="jobs.retry_job", outlook=_retry_outlook, settle=_retry)
RESOLVE = Verb(
    name="resolve", done="resolved", permission="jobs.resolve_deadletter", outlook=_resolve_outlook, settle=_resolve
)


class SettleForm(forms.Form):
    """What the person confirmed: letters by id, or all up to an id that match the address's filter; and a note."""

    letters = forms.CharField(
        required=False, max_length=10_000, validators=[validate_comma_separated_integer_list], widget=forms.HiddenInput
    )
    up_to = forms.IntegerField(required=False, min_value=0, max_value=_BIGGEST_ID, widget=forms.HiddenInput)
    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def clean_letters(self) -> list[int]:
        """Return the ids."""
        return [int(each) for each in self.cleaned_data["letters"].split(",") if each and int(each) <= _BIGGEST_ID]

    def clean(self) -> dict[str, Any]:
        """Refuse a request that names nothing."""
        given = super().clean() or self.cleaned_data
        if not self.errors and not given["letters"] and given["up_to"] is None:
            raise forms.ValidationError("Name dead letters, or a filter that was asked about first.")
        return given
