"""Sets of collections, one for each surface and day; what editors have to say about them."""

import uuid
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from yellowbook.curation.occasions import occasions
from yellowbook.curation.surfaces import SURFACES, title_of
from yellowbook.directory.fields import LineField
from yellowbook.directory.models import Business

#: Longest title, in characters.
TITLE_LENGTH: Final = 80


class CollectionSet(models.Model):
    """The collections of a surface on a day. Readers see what was made last, until something newer is there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    surface = models.CharField(max_length=20)
    date = models.DateField()
    #: See `parameters.Parameters`; those that were asked for last.
    parameters = models.JSONField(default=dict)
    #: How often it was asked for: a regeneration counts one up.
    wanted = models.PositiveIntegerField(default=1)
    #: Which of these it shows; 0: none yet. Equal to `wanted`: there is nothing to do.
    made = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(null=True, blank=True)
    #: The model whose vectors the clusters are of, and the one that was asked for titles; empty for none.
    model = models.CharField(max_length=100, blank=True, default="")
    titles_model = models.CharField(max_length=100, blank=True, default="")
    #: Why titles are not the model's although it was asked; empty where they are, or nobody was asked.
    note = models.CharField(max_length=200, blank=True, default="")
    requested_by = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("regenerate_collectionset", "Can have collections made anew")]
        constraints = [
            models.UniqueConstraint(fields=["surface", "date"], name="curation_set_one_per_surface_and_day"),
            models.CheckConstraint(condition=Q(made__lte=F("wanted")), name="curation_set_made_was_wanted"),
            models.CheckConstraint(
                condition=Q(made=0, made_at=None) | Q(made__gt=0, made_at__isnull=False), name="curation_set_made_at"
            ),
        ]
        indexes = [models.Index(fields=["-date", "surface", "id"], name="curation_set_date")]

    def __str__(self) -> str:
        return f"{title_of(self.surface)} {self.date}"


class Collection(models.Model):
    """One collection of a set."""

    class Theme(models.TextChoices):
        """What holds it together."""

        CLUSTER = "cluster", _("near in meaning")
        RULE = "rule", _("an editor's rule")
        OCCASION = "occasion", _("an occasion")

    class TitledBy(models.TextChoices):
        """Who gave it its titles."""

        LLM = "llm", _("the model")
        TEMPLATE = "template", _("a template")
        EDITOR = "editor", _("an editor")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection_set = models.ForeignKey(CollectionSet, models.CASCADE, related_name="collections")
    position = models.PositiveSmallIntegerField()
    title_mn = models.CharField(max_length=TITLE_LENGTH)
    title_en = models.CharField(max_length=TITLE_LENGTH)
    titled_by = models.CharField(max_length=10, choices=TitledBy)
    theme = models.CharField(max_length=10, choices=Theme)
    rule = models.ForeignKey("Rule", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection_set", "position"], name="curation_collection_one_per_place"),
            models.CheckConstraint(
                condition=Q(theme__in=["cluster", "rule", "occasion"]), name="curation_collection_theme_known"
            ),
            models.CheckConstraint(
                condition=Q(titled_by__in=["llm", "template", "editor"]), name="curation_collection_titled_by_known"
            ),
        ]

    def __str__(self) -> str:
        return str(self.title_en)


class CollectionItem(models.Model):
    """A business of a collection. The set is kept here too: no business is in it twice."""

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="items")
    collection_set = models.ForeignKey(CollectionSet, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection_set", "business"], name="curation_item_business_once_a_set"),
            models.UniqueConstraint(fields=["collection", "position"], name="curation_item_one_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.business_id}"


class Rule(models.Model):
    """A collection that editors want: which businesses, on which surfaces and days, under which title."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title_mn = LineField(max_length=TITLE_LENGTH)
    title_en = LineField(max_length=TITLE_LENGTH)
    surface = models.CharField(
        max_length=20, blank=True, default="", help_text=_("Where it is shown; empty: everywhere.")
    )
    occasion = models.CharField(
        max_length=20, blank=True, default="", help_text=_("Only in the days of this occasion; empty: always.")
    )
    category = LineField(max_length=100, blank=True, default="", help_text=_("Exactly this category; empty: any."))
    city = LineField(max_length=100, blank=True, default="", help_text=_("Exactly this city; empty: any."))
    price_level = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    tag = LineField(max_length=40, blank=True, default="", help_text=_("With this tag, by its name; empty: any."))
    featured_only = models.BooleanField(default=False, help_text=_("Only businesses that are featured."))
    active_from = models.DateField(null=True, blank=True)
    active_until = models.DateField(null=True, blank=True, help_text=_("The last day."))
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0, help_text=_("Rules come in this order, before all else."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(active_from=None) | Q(active_until=None) | Q(active_from__lte=F("active_until")),
                name="curation_rule_days_in_order",
                violation_error_message=_("The last day is before the first one."),
            ),
            models.CheckConstraint(
                condition=Q(price_level=None) | Q(price_level__range=(1, 4)), name="curation_rule_price_level_range"
            ),
        ]

    def __str__(self) -> str:
        return str(self.title_en)

    def clean(self) -> None:
        """Check what must be known here; raises `ValidationError` by field."""
        wrong: dict[str, Any] = {}
        if self.surface and self.surface not in SURFACES:
            wrong["surface"] = _("There is no such surface.")
        if self.occasion and self.occasion not in occasions():
            wrong["occasion"] = _("There is no such occasion.")
        if wrong:
            raise ValidationError(wrong)


class FeaturedBusiness(models.Model):
    """A business that editors put forward; rules and regenerations may ask for such alone."""

    business = models.OneToOneField(Business, models.CASCADE, primary_key=True, related_name="featured")
    note = LineField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "featured businesses"

    def __str__(self) -> str:
        return str(self.business)
