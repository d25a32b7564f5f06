"""`manage.py embed_businesses`: have every business without a fresh vector embedded."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from embeddings.selectors import coverage
from embeddings.services import embed_stale
from jobs.actor import current_actor


class Command(BaseCommand):
    """Makes the jobs; the workers do them."""

    help = "Makes a job for every business whose text or model has changed since its vector was made, or that has none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--limit", type=int, help="at most this many businesses")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the jobs and say how many."""
        asked = embed_stale(actor=current_actor(), limit=options["limit"])
        now = coverage()
        self.stdout.write(
            f"{asked} businesses will be embedded by {now['model']}; "
            f"{now['with_embeddings']} of {now['total']} have a vector by it now."
        )
