"""The options of a run over all enrichments, for the admin."""

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.runs.forms import RunForm
from yellowbook.enrichment.prompts import PROMPTS


class EnrichmentRunForm(RunForm):
    """See `yellowbook.enrichment.feed`."""

    prompt_version = forms.ChoiceField(
        label=_("Prompt version"),
        required=False,
        choices=[("", _("the one in use")), *((version, version) for version in PROMPTS)],
    )
    category = forms.CharField(
        label=_("Category"), required=False, max_length=100, help_text=_("Only businesses of this category.")
    )
    force = forms.BooleanField(label=_("Force"), required=False, help_text=_("Enrich again even what is unchanged."))

    field_order = ("prompt_version", "category", "force", "limit", "resume_from")

    def clean_resume_from(self) -> str:
        """Refuse what is no id."""
        given: str = self.cleaned_data["resume_from"].strip()
        try:
            return str(UUID(given)) if given else ""
        except ValueError:
            raise forms.ValidationError(_("This is not the id of a business: copy it from its page.")) from None
