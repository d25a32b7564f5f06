"""`manage.py populate`: a large directory with a long history, to see how the system bears it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.models import JobExecution
from yellowbook.benchmarks.populate import populate
from yellowbook.directory.models import Business


class Command(BaseCommand):
    """Fills an empty database, and no other."""

    help = "Fills an empty database with made-up businesses, jobs, dead letters and history: for load tests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--businesses", type=int, default=100_000, help="how many (default: 100,000)")
        parser.add_argument("--jobs", type=int, default=1_000_000, help="how many (default: 1,000,000)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill it."""
        if options["businesses"] < 1 or options["jobs"] < 1:
            raise CommandError("--businesses and --jobs have to be at least 1.")
        if Business.objects.exists() or JobExecution.objects.exists():
            raise CommandError("The database is not empty: this is for load tests. Use one of its own (DATABASE_URL).")
        populate(options["businesses"], options["jobs"], lambda name: self.stderr.write(f"Making {name}."))
        self.stdout.write("Done.")
