"""Both groups of operators see what is done to many rows at once; doing it takes the permission for each row."""

from django.db import migrations

from yellowbook.operators import let_operators


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0002_operator_groups"),
        ("jobs", "0008_bulk_actions"),
    ]

    operations = [let_operators("jobs", see=["bulkaction"])]
