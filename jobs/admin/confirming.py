"""What a person confirms before something is done to many rows."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs.bulk.actions import Action
from jobs.bulk.start import FASTEST


class ConfirmForm(forms.Form):
    """Rows by id, or all up to a cut-off that match the address's filter; why, and how fast."""

    chosen = forms.CharField(required=False, max_length=20_000, widget=forms.HiddenInput)
    up_to = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    per_second = forms.IntegerField(
        required=False, min_value=1, max_value=FASTEST, label=_("At most so many per second (in the background)")
    )

    def __init__(self, asked: Action, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked = asked
        self.fields["note"].label = gettext(asked.words.note)
        if not asked.paced:
            del self.fields["per_second"]

    def clean_chosen(self) -> list[Any]:
        """Return the primary keys."""
        try:
            return [self._asked.keyset.read(each) for each in self.cleaned_data["chosen"].split(",") if each]
        except ValueError:
            raise forms.ValidationError(_("These are no ids.")) from None

    def clean_up_to(self) -> str:
        """Return the cut-off."""
        up_to: str = self.cleaned_data["up_to"]
        try:
            if up_to:
                self._asked.keyset.until(self._asked.model._default_manager.none(), up_to)
        except ValueError:
            raise forms.ValidationError(_("This is no cut-off.")) from None
        return up_to

    def clean(self) -> dict[str, Any]:
        """Refuse a request that names nothing."""
        given = super().clean() or self.cleaned_data
        if not self.errors and not given["chosen"] and not given["up_to"]:
            raise forms.ValidationError(_("Name rows, or a filter that was asked about first."))
        return {"per_second": None, **given}
