"""Both groups of operators see what is done to many rows at once; doing it takes the permission for each row."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = ("Operators (read only)", "Operators")


def let_see(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Permissions are made after all migrations; the groups need this one now.
    create_permissions(installed.get_app_config("jobs"), verbosity=0, using=alias)
    permission = apps.get_model("auth", "Permission").objects.using(alias)
    view = permission.get(codename="view_bulkaction", content_type__app_label="jobs")
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=GROUPS):
        group.permissions.add(view)


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0002_operator_groups"),
        ("jobs", "0008_bulk_actions"),
    ]

    operations = [migrations.RunPython(let_see, migrations.RunPython.noop)]
