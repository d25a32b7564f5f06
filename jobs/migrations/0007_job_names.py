"""Finds jobs by the beginning of their subject's name; built while the table is in use."""

import django.contrib.postgres.indexes
import django.db.models.fields.json
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("jobs", "0006_history"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="jobexecution",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper(
                        django.db.models.functions.comparison.Cast(
                            django.db.models.fields.json.KeyTextTransform("original_name", "metadata"),
                            models.TextField(),
                        )
                    ),
                    "text_pattern_ops",
                ),
                name="jobs_job_name",
            ),
        ),
    ]
