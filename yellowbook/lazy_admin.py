"""The admin's app, without its pages until somebody asks for them."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class LazyAdminConfig(SimpleAdminConfig):
    """Leaves the loading of every app's `admin.py` to the addresses and the checks.

    Workers have neither, and are spared 10 MB.
    """

    def ready(self) -> None:
        """Declare the checks, as the class above does."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check, checks.Tags.admin)


def _check(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """Check all pages."""
    admin.autodiscover()
    return check_admin_app(app_configs, **options)
