"""What the two groups of operators may see and do; each app says so in a migration of its own.

operations = [let_operators("postcards", see=["postcard"], do=["send_postcard"])]
"""

from collections.abc import Collection
from typing import Any, Final

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

#: The group that looks at everything that happens, and the one that also steers it.
READERS: Final = "Operators (read only)"
OPERATORS: Final = "Operators"


def let_operators(app: str, *, see: Collection[str], do: Collection[str] = ()) -> migrations.RunPython:
    """Return an operation that lets both groups see the rows of some models of `app`, and operators do more.

    `see` holds names of models, `do` codenames of permissions. The migration has to depend on
    `("directory", "0002_operator_groups")` and on the one that makes the models.
    """
    seen = {f"view_{model}" for model in see}
    allowed = {READERS: seen, OPERATORS: seen | set(do)}

    def permissions(apps: Any, alias: str, codenames: Collection[str]) -> Any:
        found = apps.get_model("auth", "Permission").objects.using(alias)
        return found.filter(content_type__app_label=app, codename__in=codenames)

    def let(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        # Permissions are made after all migrations; the groups need theirs now.
        create_permissions(installed.get_app_config(app), verbosity=0, using=alias)
        for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=allowed):
            group.permissions.add(*permissions(apps, alias, allowed[group.name]))

    def let_not(apps: Any, schema_editor: Any) -> None:
        alias = schema_editor.connection.alias
        for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=allowed):
            group.permissions.remove(*permissions(apps, alias, allowed[group.name]))

    return migrations.RunPython(let, let_not)
