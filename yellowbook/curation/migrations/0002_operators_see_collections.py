"""Both groups of operators see collections and rules; operators edit rules, and have collections made anew."""

from django.db import migrations

from yellowbook.operators import let_operators


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("curation", "0001_collections"),
    ]

    operations = [
        let_operators(
            "curation",
            see=["collectionset", "collection", "collectionitem", "rule", "featuredbusiness"],
            do=[
                "regenerate_collectionset",
                *(f"{do}_{model}" for model in ("rule", "featuredbusiness") for do in ("add", "change", "delete")),
            ],
        )
    ]
