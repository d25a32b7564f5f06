"""Both groups of operators see deliveries; those who steer may send one again."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

SEE = ("view_delivery", "view_deliveryattempt")
PERMISSIONS = {"Operators (read only)": SEE, "Operators": (*SEE, "replay_delivery")}


def let_see(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Permissions are made after all migrations; the groups need theirs now.
    create_permissions(installed.get_app_config("notifications"), verbosity=0, using=alias)
    found = apps.get_model("auth", "Permission").objects.using(alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=PERMISSIONS):
        named = found.filter(content_type__app_label="notifications", codename__in=PERMISSIONS[group.name])
        group.permissions.add(*named)


def let_not_see(apps, schema_editor):
    alias = schema_editor.connection.alias
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=PERMISSIONS):
        group.permissions.remove(*permissions.filter(content_type__app_label="notifications"))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0002_operator_groups"),
        ("notifications", "0001_deliveries"),
    ]

    operations = [migrations.RunPython(let_see, let_not_see)]
