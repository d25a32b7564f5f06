"""Both groups of operators see taste profiles, with the opinions that belong to them."""

from django.db import migrations

from yellowbook.operators import let_operators


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("recommendations", "0001_taste_profiles"),
    ]

    operations = [let_operators("recommendations", see=["tasteprofile", "opinion"])]
