"""Both groups of operators see what was made of businesses."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = ("Operators (read only)", "Operators")
PERMISSIONS = ("view_enrichment", "view_editortags")


def let_see(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Permissions are made after all migrations; the groups need theirs now.
    create_permissions(installed.get_app_config("enrichment"), verbosity=0, using=alias)
    found = apps.get_model("auth", "Permission").objects.using(alias)
    permissions = found.filter(content_type__app_label="enrichment", codename__in=PERMISSIONS)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=GROUPS):
        group.permissions.add(*permissions)


def let_not_see(apps, schema_editor):
    alias = schema_editor.connection.alias
    found = apps.get_model("auth", "Permission").objects.using(alias)
    permissions = found.filter(content_type__app_label="enrichment", codename__in=PERMISSIONS)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=GROUPS):
        group.permissions.remove(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("enrichment", "0001_enrichment"),
    ]

    operations = [migrations.RunPython(let_see, let_not_see)]
