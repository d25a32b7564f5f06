"""The options of a run over all embeddings, for the admin."""

from uuid import UUID

from django import forms

from jobs.runs.forms import RunForm


class EmbeddingRunForm(RunForm):
    """See `embeddings.feed`."""

    skip_existing = forms.BooleanField(
        required=False, initial=True, help_text="Leave out what has a vector of its present text."
    )
    stale_only = forms.BooleanField(required=False, help_text="Only what has a vector, but no fresh one.")
    force = forms.BooleanField(required=False, help_text="Embed again even what is unchanged.")
    category = forms.CharField(required=False, max_length=100, help_text="Only businesses of this category.")

    field_order = ("skip_existing", "stale_only", "force", "category", "limit", "resume_from")

    def clean_resume_from(self) -> str:
        """Refuse what is no id."""
        given: str = self.cleaned_data["resume_from"].strip()
        try:
            return str(UUID(given)) if given else ""
        except ValueError:
            raise forms.ValidationError("This is not the id of a business: copy it from its page.") from None
