"""Forms of curation in the admin."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from yellowbook.curation.days import FURTHEST, within_reach
from yellowbook.curation.models import Rule
from yellowbook.curation.occasions import occasions
from yellowbook.curation.parameters import MOST_BUSINESSES, MOST_COLLECTIONS, Narrowed, Parameters
from yellowbook.curation.surfaces import SURFACES
from yellowbook.directory.text import validate_text

#: Names of the filters, as `Narrowed` has them.
FILTERS = tuple(Narrowed.model_fields)


class RegenerateForm(forms.Form):
    """A surface and a day, and how its collections are made; what is left empty is as on every day."""

    surface = forms.ChoiceField(
        label=_("Surface"), choices=[(surface.name, surface.title) for surface in SURFACES.values()]
    )
    date = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}), help_text=_("Of UTC."))
    collections_count = forms.IntegerField(
        label=_("Collections"), required=False, min_value=1, max_value=MOST_COLLECTIONS
    )
    businesses_per_collection = forms.IntegerField(
        label=_("Businesses per collection"), required=False, min_value=1, max_value=MOST_BUSINESSES
    )
    category = forms.CharField(
        label=_("Category"),
        required=False,
        max_length=100,
        validators=[validate_text],
        help_text=_("Only businesses of this category."),
    )
    city = forms.CharField(label=_("City"), required=False, max_length=100, validators=[validate_text])
    price_level = forms.IntegerField(label=_("Price level"), required=False, min_value=1, max_value=4)
    tag = forms.CharField(label=_("Tag"), required=False, max_length=40, validators=[validate_text])
    featured = forms.BooleanField(
        label=_("Featured"), required=False, help_text=_("Only businesses that are featured.")
    )

    def clean_date(self) -> Any:
        """Refuse a day that nobody will look at."""
        day = self.cleaned_data["date"]
        if not within_reach(day):
            raise forms.ValidationError(_("Give a day at most %(days)s days from today.") % {"days": FURTHEST})
        return day

    def asked(self) -> dict[str, Any]:
        """Return what `services.regenerate` takes."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in {None, "", False}}
        surface, day = given.pop("surface"), given.pop("date")
        filters = {name: given.pop(name) for name in FILTERS if name in given}
        return {"surface": surface, "day": day, "parameters": Parameters.model_validate({**given, "filters": filters})}


class RuleForm(forms.ModelForm[Rule]):
    """A rule, with the surfaces and occasions that there are."""

    surface = forms.ChoiceField(
        label=_("Surface"),
        required=False,
        choices=[("", _("everywhere")), *((surface.name, surface.title) for surface in SURFACES.values())],
        widget=UnfoldAdminSelectWidget,
        help_text=_("Where it is shown; empty: everywhere."),
    )
    occasion = forms.ChoiceField(
        label=_("Occasion"),
        required=False,
        choices=lambda: [("", _("always")), *((each.name, each.title) for each in occasions().values())],
        widget=UnfoldAdminSelectWidget,
        help_text=_("Only in the days of this occasion; empty: always."),
    )

    class Meta:
        model = Rule
        fields: ClassVar = [
            *("title_mn", "title_en", "surface", "occasion", "category", "city", "price_level", "tag"),
            *("featured_only", "active_from", "active_until", "is_active", "position"),
        ]
