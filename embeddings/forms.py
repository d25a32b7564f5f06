"""The options of a run over all embeddings, for the admin."""

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.runs.forms import RunForm


class EmbeddingRunForm(RunForm):
    """See `embeddings.feed`."""

    skip_existing = forms.BooleanField(
        label=_("Skip existing"),
        required=False,
        initial=True,
        help_text=_("Leave out what has a vector of its present text."),
    )
    stale_only = forms.BooleanField(
        label=_("Stale only"), required=False, help_text=_("Only what has a vector, but no fresh one.")
    )
    force = forms.BooleanField(label=_("Force"), required=False, help_text=_("Embed again even what is unchanged."))
    category = forms.CharField(
        label=_("Category"), required=False, max_length=100, help_text=_("Only businesses of this category.")
    )

    field_order = ("skip_existing", "stale_only", "force", "category", "limit", "resume_from")

    def clean_resume_from(self) -> str:
        """Refuse what is no id."""
        given: str = self.cleaned_data["resume_from"].strip()
        try:
            return str(UUID(given)) if given else ""
        except ValueError:
            raise forms.ValidationError(_("This is not the id of a business: copy it from its page.")) from None
