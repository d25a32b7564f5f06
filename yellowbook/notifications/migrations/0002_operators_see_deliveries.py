"""Both groups of operators see deliveries; those who steer may send one again."""

from django.db import migrations

from yellowbook.operators import let_operators


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("notifications", "0001_deliveries"),
    ]

    operations = [let_operators("notifications", see=["delivery", "deliveryattempt"], do=["replay_delivery"])]
