"""`manage.py embed_businesses`: have every business without a fresh vector embedded."""

import sys
from argparse import ArgumentParser
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand

from embeddings.cli import run
from embeddings.cli.options import add_to


class Command(BaseCommand):
    """Starts and steers the run over all businesses; see `embeddings.cli`."""

    help = (
        "Starts a run that embeds every business whose text or model has changed since its vector was made, or that "
        "has none; follows it with a progress bar on a terminal, and returns at once elsewhere. It asks at Ctrl-C "
        "whether to stop the run. Exit code 0: all done, or started; 1: ended with failures, or stopped by somebody "
        "else; 2: could not start; 130: interrupted."
    )
    # It does its own, and says what is wrong in a line each, with its own exit code.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_to(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Delegate, and exit with the code that fits."""
        code = run(options, *(cast(TextIO, wrapper._out) for wrapper in (self.stdout, self.stderr)))
        if code:
            sys.exit(code)
