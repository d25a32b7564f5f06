"""Both groups of operators see what was made of businesses."""

from django.db import migrations

from yellowbook.operators import let_operators


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("enrichment", "0001_enrichment"),
    ]

    operations = [let_operators("enrichment", see=["enrichment", "editortags"])]
