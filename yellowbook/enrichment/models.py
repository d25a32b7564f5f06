"""What was found out about businesses, and the tags that editors gave them."""

import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from yellowbook.enrichment.names import GEMINI, RULES

#: Longest tag and longest summary, in characters.
TAG_LENGTH: Final = 40
SUMMARY_LENGTH: Final = 300


def _tags() -> ArrayField[list[str], list[str]]:
    return ArrayField(models.CharField(max_length=TAG_LENGTH), default=list, blank=True)


class Enrichment(models.Model):
    """What the model, or the rules, made of a business's text. Only the job `enrich_business` writes it."""

    class Maker(models.TextChoices):
        """Who made it."""

        GEMINI = GEMINI, "Gemini"
        RULES = RULES, _("rules")

    business = models.OneToOneField(
        "directory.Business", on_delete=models.CASCADE, primary_key=True, related_name="enrichment"
    )
    #: Names of tags of the vocabulary.
    tags = _tags()
    #: Tags that the vocabulary lacks, in the language of the text.
    free_tags = _tags()
    #: One sentence, in Mongolian and in English; empty where nothing could be said.
    summary_mn = models.CharField(max_length=SUMMARY_LENGTH, blank=True)
    summary_en = models.CharField(max_length=SUMMARY_LENGTH, blank=True)
    #: See `hours`: {"mo": [["09:00", "18:00"]], ...}, a day that is missing is closed; None: not told.
    opening_hours = models.JSONField(null=True, blank=True)
    maker = models.CharField(max_length=10, choices=Maker)
    #: The model that answered; empty for the rules.
    model = models.CharField(max_length=100, blank=True)
    #: The version of the prompt, or of the rules.
    prompt_version = models.CharField(max_length=40)
    #: Why the model's owner refused to answer, so that the rules had to; empty where it did not.
    blocked_reason = models.CharField(max_length=100, blank=True)
    #: `Business.text_hash` of the text that it was made of.
    input_hash = models.CharField(max_length=64)
    enriched_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "enrichments"
        constraints = [
            models.CheckConstraint(condition=Q(maker__in=[GEMINI, RULES]), name="enrichment_maker_known"),
        ]
        indexes = [models.Index(fields=["-enriched_at"], name="enrichment_enriched")]

    def __str__(self) -> str:
        return f"enrichment of {self.business_id}"


class EditorTags(models.Model):
    """The tags that an editor gave a business. They stand instead of those that were made, until taken back."""

    business = models.OneToOneField(
        "directory.Business", on_delete=models.CASCADE, primary_key=True, related_name="editor_tags"
    )
    tags = _tags()
    edited_by = models.CharField(max_length=150)
    edited_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "editor tags"

    def __str__(self) -> str:
        return f"editor's tags of {self.business_id}"


class Preview(models.Model):
    """A look at what a version would make of some businesses, before a run over all of them is begun."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: Of the run that it is a look at; see `feed`.
    options = models.JSONField(default=dict)
    #: The version in question, of the prompt or of the rules.
    prompt_version = models.CharField(max_length=40)
    requested_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="enrichment_preview_created")]

    def __str__(self) -> str:
        return f"preview of {self.prompt_version}"


class PreviewSample(models.Model):
    """One business of a preview: what is stored of it, and what would be."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    preview = models.ForeignKey(Preview, on_delete=models.CASCADE, related_name="samples")
    business = models.ForeignKey("directory.Business", on_delete=models.CASCADE, related_name="+")
    #: {"tags": [...], "summary_mn": "...", "summary_en": "..."}; None: nothing.
    before = models.JSONField(null=True)
    #: The same; None while its job has not ended well.
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"sample {self.business_id}"
