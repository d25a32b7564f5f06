"""One index of words and of what searches are narrowed by, in place of the one of words."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.expressions import RawSQL


class Migration(migrations.Migration):
    dependencies = [("search", "0002_tags")]

    operations = [
        migrations.AddIndex(
            model_name="document",
            index=GinIndex(
                models.F("words"),
                RawSQL("ARRAY[category::text, city::text, price_level::text]", ()),
                name="search_document_narrowed",
            ),
        ),
        migrations.RemoveIndex(model_name="document", name="search_document_words"),
    ]
