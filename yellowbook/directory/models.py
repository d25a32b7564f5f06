"""The businesses of the yellow book."""

import uuid
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from yellowbook.directory.expressions import HashOfLines
from yellowbook.directory.fields import CleanEmailField, LineField, ParagraphField, WebsiteField, validate_finite
from yellowbook.directory.text import TEXT_FIELDS

if TYPE_CHECKING:
    from jobs.enqueue import Enqueued

#: Longest description, in characters. Models read about the first 4,000 of them.
DESCRIPTION_LIMIT: Final = 20_000


class BusinessStatus(models.TextChoices):
    """Who gets to see a business. Every business is embedded, whatever its status."""

    #: Being written; staff only.
    DRAFT = "draft", _("draft")
    #: Written, waiting for somebody's approval; staff only.
    PENDING = "pending", _("pending")
    #: Visible to everybody, and the only one that search and similar businesses find.
    PUBLISHED = "published", _("published")
    #: Taken out of sight; staff only.
    UNPUBLISHED = "unpublished", _("unpublished")


class Business(models.Model):
    """An entry of the directory."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    external_id = LineField(
        max_length=200, blank=True, default="", help_text=_("The business's id where it came from; unique when given.")
    )
    name = LineField(max_length=200)
    category = LineField(max_length=100)
    description = ParagraphField(blank=True, default="", validators=[MaxLengthValidator(DESCRIPTION_LIMIT)])
    address = LineField(max_length=300)
    city = LineField(max_length=100, blank=True, default="")
    phone = LineField(max_length=100, blank=True, default="")
    email = CleanEmailField(blank=True, default="")
    website = WebsiteField(max_length=300, blank=True, default="")
    latitude = models.FloatField(
        null=True,
        blank=True,
        validators=[validate_finite, MinValueValidator(-90), MaxValueValidator(90)],
        help_text=_("Degrees north, WGS 84. Latitude and longitude go together."),
    )
    longitude = models.FloatField(
        null=True,
        blank=True,
        validators=[validate_finite, MinValueValidator(-180), MaxValueValidator(180)],
        help_text=_("Degrees east, WGS 84."),
    )
    price_level = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(4)],
        help_text=_("From 1 (cheap) to 4 (expensive)."),
    )
    offers_online = models.BooleanField(default=False, help_text=_("Whether it sells or serves online."))
    status = models.CharField(
        max_length=12,
        choices=BusinessStatus,
        default=BusinessStatus.PUBLISHED,
        error_messages={"invalid_choice": f"Choose one of {', '.join(BusinessStatus.values)}."},
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    #: Identifies the embedded text. PostgreSQL computes it, so it is right whichever way the row was written.
    text_hash = models.GeneratedField(
        expression=HashOfLines(*TEXT_FIELDS), output_field=models.CharField(max_length=64), db_persist=True
    )

    #: The job that the last `save()` of this instance made or joined; None when the embedded text did not change.
    embedding_job: "Enqueued | None" = None
    #: The text fields as stored before the save under way, for the receivers in `signals`; None when not known.
    stored_text: "dict[str, str] | None" = None

    class Meta:
        verbose_name_plural = "businesses"
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=~Q(external_id=""),
                name="business_external_id_unique",
                violation_error_message=_("Another business has this external id."),
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{field}__regex": r"\S"}),
                    name=f"business_{field}_not_blank",
                    violation_error_message=blank,
                )
                for field, blank in (
                    ("name", _("The name can't be blank.")),
                    ("category", _("The category can't be blank.")),
                    ("address", _("The address can't be blank.")),
                )
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("description"), DESCRIPTION_LIMIT),
                name="business_description_length",
                violation_error_message=format_lazy(
                    _("The description is longer than {limit} characters."), limit=DESCRIPTION_LIMIT
                ),
            ),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90)),
                name="business_latitude_range",
                violation_error_message=_("The latitude is not between -90 and 90."),
            ),
            models.CheckConstraint(
                condition=Q(longitude__range=(-180, 180)),
                name="business_longitude_range",
                violation_error_message=_("The longitude is not between -180 and 180."),
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
                name="business_coordinates_together",
                violation_error_message=_("Latitude and longitude go together."),
            ),
            models.CheckConstraint(
                condition=Q(price_level__range=(1, 4)),
                name="business_price_level_range",
                violation_error_message=_("The price level is not between 1 and 4."),
            ),
            models.CheckConstraint(condition=Q(status__in=BusinessStatus.values), name="business_status_known"),
        ]
        indexes = [
            # Lists are ordered by name and paged by position; the public one asks for one status.
            models.Index(fields=["status", "name", "id"], name="business_status_name"),
            models.Index(fields=["name", "id"], name="business_name"),
            models.Index(fields=["category", "name", "id"], name="business_category_name"),
            models.Index(fields=["city", "name", "id"], name="business_city_name"),
            models.Index(fields=["created_at", "id"], name="business_created"),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the row and whatever its receivers write in one transaction; `embedding_job` then tells of the job.

        `updated_at` is always written with the named fields. `text_hash` is read again when it is asked for.
        """
        self.embedding_job = None
        fields = {*update_fields, "updated_at"} if update_fields else update_fields
        try:
            with transaction.atomic(savepoint=False):
                existed = not self._state.adding
                super().save(*args, update_fields=fields, **kwargs)
        finally:
            self.stored_text = None
        if existed:
            self.__dict__.pop("text_hash", None)

    def clean(self) -> None:
        """Check what concerns several fields; raises `ValidationError` by field."""
        for given, missing in (("latitude", "longitude"), ("longitude", "latitude")):
            if getattr(self, given) is not None and getattr(self, missing) is None:
                told = _("Give the %(missing)s too: coordinates go together.")
                raise ValidationError({missing: told % {"missing": _(missing)}}, code="required")

    def text_fields(self) -> dict[str, str]:
        """Return the values of the fields that make up the embedded text, by name."""
        return {name: getattr(self, name) for name in TEXT_FIELDS}

    def text_differs(self, written: Collection[str] | None) -> bool:
        """Tell whether writing the fields `written` (None: all) changed the text that was stored before the save."""
        if self.stored_text is None:
            return written is None or not set(TEXT_FIELDS).isdisjoint(written)
        return any(
            getattr(self, name) != stored
            for name, stored in self.stored_text.items()
            if written is None or name in written
        )
