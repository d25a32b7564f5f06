"""`manage.py bootstrap`: an admin user, an API token and sample data for a new installation."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from yellowbook.credentials import ensure_admin
from yellowbook.directory.models import Business
from yellowbook.env import Env


class Command(BaseCommand):
    """Makes what is missing and nothing twice; prints one JSON object with the credentials."""

    help = "Makes an admin user with a generated password, an API token, and sample businesses in an empty directory."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--no-sample-data", action="store_true", help="leave an empty directory empty")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing; print what there is."""
        credentials = ensure_admin(settings.VAR_DIR)
        wanted = Env().flag("SAMPLE_DATA", True) and not options["no_sample_data"]
        if wanted and not Business.objects.exists():
            call_command("import_businesses", sample=True, stdout=self.stderr)
        self.stdout.write(json.dumps(credentials))
