"""Two groups of operators: one may look at everything that happens, the other may also steer it."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

READERS, OPERATORS = "Operators (read only)", "Operators"

#: Models whose rows an operator sees, by app.
SEEN = {
    "jobs": ("jobexecution", "attempt", "deadletter", "run", "lane", "workerprocess", "periodictask"),
    "alerts": ("alert", "alertevent"),
    "upkeep": ("auditresult",),
    "embeddings": ("embedding", "providerusage"),
    "directory": ("business",),
}
#: What an operator may do, by app.
DONE = {
    "jobs": ("cancel_job", "retry_job", "resolve_deadletter", "pause_lane", "steer_run", "steer_periodictask"),
    "alerts": ("test_alert",),
}


def make_groups(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Permissions are made after all migrations; the groups need theirs now.
    for label in SEEN:
        create_permissions(installed.get_app_config(label), verbosity=0, using=alias)
    found = apps.get_model("auth", "Permission").objects.using(alias).select_related("content_type")

    def named(codenames):
        return [each for each in found if each.codename in codenames.get(each.content_type.app_label, ())]

    seen = named({label: {f"view_{model}" for model in models} for label, models in SEEN.items()})
    done = named({label: set(codenames) for label, codenames in DONE.items()})
    for name, permissions in ((READERS, seen), (OPERATORS, [*seen, *done])):
        group, _ = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=name)
        group.permissions.add(*permissions)


def remove_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=[READERS, OPERATORS]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0002_test_permission"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("directory", "0001_business"),
        ("embeddings", "0002_serving_model"),
        ("jobs", "0006_history"),
        ("upkeep", "0001_audit_results"),
    ]

    operations = [migrations.RunPython(make_groups, remove_groups)]
