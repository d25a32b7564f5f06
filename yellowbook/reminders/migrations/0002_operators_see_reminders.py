"""Both groups of operators see occasions, reminders and the records of their delivery."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

SEE = ("view_occasion", "view_schedule", "view_deliveryrecord")
PERMISSIONS = {"Operators (read only)": SEE, "Operators": SEE}


def let_see(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Permissions are made after all migrations; the groups need theirs now.
    create_permissions(installed.get_app_config("reminders"), verbosity=0, using=alias)
    found = apps.get_model("auth", "Permission").objects.using(alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=PERMISSIONS):
        named = found.filter(content_type__app_label="reminders", codename__in=PERMISSIONS[group.name])
        group.permissions.add(*named)


def let_not_see(apps, schema_editor):
    alias = schema_editor.connection.alias
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=PERMISSIONS):
        group.permissions.remove(*permissions.filter(content_type__app_label="reminders"))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("reminders", "0001_reminders"),
    ]

    operations = [migrations.RunPython(let_see, let_not_see)]
