"""Both groups of operators see catalogues; those who steer register sellers, sync, and judge listings."""

from django.db import migrations

from yellowbook.operators import let_operators

DONE = ("add_seller", "change_seller", "add_cataloguesource", "change_cataloguesource", "change_listing")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("catalogue", "0001_catalogue"),
        ("directory", "0002_operator_groups"),
    ]

    operations = [let_operators("catalogue", see=["seller", "cataloguesource", "sync", "page", "listing"], do=DONE)]
