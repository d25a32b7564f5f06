"""What users answered, what they like, and the vector of their answers. All of it goes with the user."""

import uuid
from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from pgvector.django import HalfVectorField

from embeddings.providers.base import DIMENSIONS
from yellowbook.directory.expressions import HashOfLines
from yellowbook.directory.fields import ParagraphField
from yellowbook.directory.models import Business

#: Longest text that a user may write about their taste, in characters.
ABOUT_LENGTH: Final = 2_000


class TasteProfile(models.Model):
    """The answers of one user. Only `services` writes them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="taste_profile")
    #: Categories of the directory; empty, as in the other lists: any.
    categories = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    #: From 1 (cheap) to 4 (expensive).
    price_levels = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    cities = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    #: Names of `occasions`.
    occasions = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    about = ParagraphField(blank=True, default="", validators=[MaxLengthValidator(ABOUT_LENGTH)])
    #: What is embedded: made of the answers as they are saved, and empty before there are any.
    text = models.TextField(blank=True, default="", editable=False)
    text_hash = models.GeneratedField(
        expression=HashOfLines("text"), output_field=models.CharField(max_length=64), db_persist=True
    )
    #: When the questionnaire was completed last; None: the user has only given opinions, or some of the answers.
    completed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(completed_at=None) | ~Q(text=""), name="recommendations_completed_has_text"
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="recommendations_profile_at")]

    def __str__(self) -> str:
        return self.user.get_username()


class TasteVector(models.Model):
    """The vector of a profile's text by one model. Only the job `embed_profile` writes it.

    One row for each profile: who switches the model has profiles embedded anew, each when its owner asks next.
    """

    profile = models.OneToOneField(TasteProfile, models.CASCADE, primary_key=True, related_name="vector")
    model = models.CharField(max_length=100)
    provider = models.CharField(max_length=40)
    task_type = models.CharField(max_length=30)
    #: `TasteProfile.text_hash` of the text that it was made from.
    text_hash = models.CharField(max_length=64)
    vector = HalfVectorField(dimensions=DIMENSIONS)
    job_id = models.UUIDField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.model} of {self.profile_id}"


class Opinion(models.Model):
    """What a user thinks of a business."""

    profile = models.ForeignKey(TasteProfile, models.CASCADE, related_name="opinions")
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")
    liked = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "business"], name="recommendations_one_opinion_of_a_business")
        ]

    def __str__(self) -> str:
        return f"{'likes' if self.liked else 'dislikes'} {self.business_id}"
