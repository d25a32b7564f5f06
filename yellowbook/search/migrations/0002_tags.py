"""Tags of documents, to narrow searches by."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("search", "0001_search_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="document",
            name="tags",
            # With the database's own default, so that what still runs the version before can write documents.
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40), db_default=[], size=None
            ),
        ),
        AddIndexConcurrently(
            model_name="document",
            index=django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="search_document_tags"),
        ),
    ]
