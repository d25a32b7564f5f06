"""Both groups of operators see occasions, when reminders are due, and what became of them."""

from django.db import migrations

from yellowbook.operators import let_operators


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("reminders", "0001_reminders"),
    ]

    operations = [let_operators("reminders", see=["occasion", "schedule", "deliveryrecord"])]
