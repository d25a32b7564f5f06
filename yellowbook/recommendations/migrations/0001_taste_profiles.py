import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import pgvector.django.halfvec
from django.conf import settings
from django.db import migrations, models

import yellowbook.directory.expressions
import yellowbook.directory.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0003_operators_see_bulk_actions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TasteProfile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                (
                    "price_levels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "cities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                (
                    "occasions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                (
                    "about",
                    yellowbook.directory.fields.ParagraphField(
                        blank=True, default="", validators=[django.core.validators.MaxLengthValidator(2000)]
                    ),
                ),
                ("text", models.TextField(blank=True, default="", editable=False)),
                (
                    "text_hash",
                    models.GeneratedField(
                        db_persist=True,
                        expression=yellowbook.directory.expressions.HashOfLines("text"),
                        output_field=models.CharField(max_length=64),
                    ),
                ),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="taste_profile",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TasteVector",
            fields=[
                (
                    "profile",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="vector",
                        serialize=False,
                        to="recommendations.tasteprofile",
                    ),
                ),
                ("model", models.CharField(max_length=100)),
                ("provider", models.CharField(max_length=40)),
                ("task_type", models.CharField(max_length=30)),
                ("text_hash", models.CharField(max_length=64)),
                ("vector", pgvector.django.halfvec.HalfVectorField(dimensions=768)),
                ("job_id", models.UUIDField()),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Opinion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("liked", models.BooleanField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "business",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="directory.business"
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opinions",
                        to="recommendations.tasteprofile",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="tasteprofile",
            index=models.Index(fields=["-created_at", "-id"], name="recommendations_profile_at"),
        ),
        migrations.AddConstraint(
            model_name="tasteprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("completed_at", None), models.Q(("text", ""), _negated=True), _connector="OR"),
                name="recommendations_completed_has_text",
            ),
        ),
        migrations.AddConstraint(
            model_name="opinion",
            constraint=models.UniqueConstraint(
                fields=("profile", "business"), name="recommendations_one_opinion_of_a_business"
            ),
        ),
    ]
