"""`manage.py embed_businesses`: have every business without a fresh vector embedded."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from embeddings.selectors import coverage
from embeddings.services import embed_all
from jobs.actor import current_actor
from jobs.runs import RunActive


class Command(BaseCommand):
    """Makes the jobs; the workers do them."""

    help = "Makes a job for every business whose text or model has changed since its vector was made, or that has none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--limit", type=int, help="at most this many businesses")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the jobs and say how many."""
        try:
            run = embed_all({"limit": options["limit"]}, actor=current_actor())
        except RunActive as error:
            raise CommandError(str(error)) from None
        now = coverage()
        self.stdout.write(
            f"{run.total} businesses will be embedded by {now['model']}; "
            f"{now['with_embeddings']} of {now['total']} have a vector by it now."
        )
