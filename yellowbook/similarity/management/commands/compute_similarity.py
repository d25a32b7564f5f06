"""`manage.py compute_similarity`: has similar businesses computed by the workers."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from jobs.actor import current_actor
from jobs.runs import RunActive
from yellowbook.directory.models import Business
from yellowbook.similarity import services


class Command(BaseCommand):
    """Starts a run over all businesses, or makes a job for one."""

    help = "Has similar businesses computed in the background: of all businesses (a run), or of one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        asked = parser.add_mutually_exclusive_group(required=True)
        asked.add_argument("--all", action="store_true", help="all businesses, whether something changed or not")
        asked.add_argument("--business", type=UUID, metavar="ID", help="one business, before all others")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for it."""
        if options["all"]:
            try:
                run = services.compute_all(actor=current_actor())
            except RunActive as active:
                raise CommandError(str(active)) from active
            self.stdout.write(f"Run {run.id} has begun: {run.total:,} categories.")
            return
        try:
            entry = services.compute_now(options["business"], actor=current_actor())
        except Business.DoesNotExist:
            raise CommandError(f"There is no business {options['business']}.") from None
        if entry is None:
            raise CommandError("The business has no vector yet: its similar ones are computed once it has.")
        self.stdout.write(f"Job {entry.job_id} waits.")
