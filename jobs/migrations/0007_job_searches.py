"""Finds jobs by the beginning of their subject's name, and failed ones by class; built while the table is in use."""

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Upper


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("jobs", "0006_history"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="jobexecution",
            index=models.Index(
                OpClass(
                    Upper(
                        Cast(
                            KeyTextTransform("original_name", "metadata"),
                            models.TextField(),
                        )
                    ),
                    "text_pattern_ops",
                ),
                name="jobs_job_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="jobexecution",
            index=models.Index(
                condition=models.Q(("error_class", ""), _negated=True),
                fields=["error_class", "-created_at"],
                name="jobs_job_error_class",
            ),
        ),
    ]
