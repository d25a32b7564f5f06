"""What a person may choose for a run in the admin; a kind's feed adds its own fields in a subclass."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.states import Priority


class RunForm(forms.Form):
    """The options that every fed run has; see `jobs.runs.start.start_fed_run`."""

    limit = forms.IntegerField(
        label=_("Limit"), required=False, min_value=1, help_text=_("At most so many; empty for all.")
    )
    resume_from = forms.CharField(
        label=_("Resume from"), required=False, max_length=200, help_text=_("Begin after the one with this id.")
    )
    delay = forms.FloatField(
        required=False,
        min_value=0,
        max_value=3600,
        label=_("Pause between batches"),
        help_text=_("Seconds; empty for none."),
    )
    batch_size = forms.IntegerField(
        label=_("Batch size"),
        required=False,
        min_value=1,
        max_value=10_000,
        initial=10,
        help_text=_("Fed at a time, where there is a pause."),
    )
    priority = forms.ChoiceField(
        label=_("Priority"),
        choices=[(label, _(label)) for label in Priority.labels],
        initial="low",
        help_text=_("Urgent jobs overtake it."),
    )

    def options(self) -> dict[str, Any]:
        """Return the options of the run, without those left empty."""
        return {name: value for name, value in self.cleaned_data.items() if value not in {None, ""}}
