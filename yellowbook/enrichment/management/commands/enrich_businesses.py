"""`manage.py enrich_businesses`: starts a run over the businesses that need it, after a look at some of them."""

import sys
import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.actor import current_actor
from jobs.inline import Crew
from jobs.kinds import get_kind
from jobs.models import Lane
from jobs.quiet import only_warnings
from jobs.runs import RunActive
from jobs.runs.forecast import forecast_new
from yellowbook.enrichment import services
from yellowbook.enrichment.feed import EnrichmentFeed
from yellowbook.enrichment.making import switched_off
from yellowbook.enrichment.models import Preview
from yellowbook.enrichment.names import ENRICH_BUSINESS, PREVIEW_ENRICHMENT
from yellowbook.enrichment.preview import begin_preview, waiting
from yellowbook.enrichment.prompts import PROMPTS

#: Seconds between two looks at a preview.
LOOK_EVERY: Final = 0.2


class Command(BaseCommand):
    """Counts, shows samples side by side, asks, and starts the run."""

    help = (
        "Has published businesses enriched that have no tags and summary of their present text by the prompt in use: "
        "says what it would cost, shows what it would change on ten of them, asks, and starts a run for the workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--prompt-version", choices=list(PROMPTS), help="another prompt than the one in use")
        parser.add_argument("--category", help="only businesses of this category")
        parser.add_argument("--limit", type=int, help="at most so many")
        parser.add_argument("--force", action="store_true", help="enrich again even what is unchanged")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would come to")
        parser.add_argument("--yes", action="store_true", help="show no samples and ask nothing")

    def handle(self, *args: Any, **given: Any) -> None:
        """Do it."""
        if switched_off():
            raise CommandError("Enrichment is switched off (ENRICHMENT=off).")
        if given["limit"] is not None and given["limit"] < 1:
            raise CommandError("--limit is a number from 1 on.")
        names = ("prompt_version", "category", "limit", "force")
        options = {name: given[name] for name in names if given[name]}
        total = self._estimate(options)
        if given["dry_run"] or not total:
            return
        if not given["yes"] and not self._agreed(options, total):
            self.stdout.write("No run was started.")
            return
        try:
            run = services.enrich_all(options, actor=current_actor())
        except RunActive as active:
            raise CommandError(str(active)) from active
        self.stdout.write(f"Run {run.id} has begun: {run.total:,} businesses.")

    def _estimate(self, options: dict[str, Any]) -> int:
        estimate = EnrichmentFeed().estimate(options)
        self.stdout.write(f"{estimate.total:,} businesses; {sum(estimate.free.values()):,} have it already.")
        if estimate.texts:
            cost = f", ${estimate.cost:,.2f} at most" if estimate.cost else ""
            self.stdout.write(f"{estimate.texts:,} prompts, {estimate.tokens:,} tokens at most{cost}.")
            self.stdout.write(forecast_new(ENRICH_BUSINESS, estimate.texts, estimate.tokens).sentence)
        return estimate.total

    def _agreed(self, options: dict[str, Any], total: int) -> bool:
        """Show samples, and ask."""
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to be asked: give --yes, or --dry-run.")
        preview = begin_preview(options, actor=current_actor())
        with only_warnings("jobs", "yellowbook"), Crew(get_kind(PREVIEW_ENRICHMENT)):
            while waiting(preview):
                self._look_around()
                time.sleep(LOOK_EVERY)
        Console().print(side_by_side(preview))
        self.stdout.write(f"Start a run over {total:,} businesses? [y/N] ", ending="")
        self.stdout.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def _look_around(self) -> None:
        """Raise `CommandError` where samples would be waited for in vain."""
        lane = Lane.objects.filter(kind=PREVIEW_ENRICHMENT, paused_at__isnull=False).first()
        if lane is not None:
            raise CommandError(f"The lane {lane.kind} is paused: {lane.pause_reason or 'no reason given'}.")


def side_by_side(preview: Preview) -> Table:
    """Return the samples as a table."""
    table = Table(show_lines=True)
    for title in ("Business", "Now", preview.prompt_version):
        table.add_column(title, overflow="fold")
    for sample in preview.samples.select_related("business"):
        after = _told(sample.after) if sample.after else "It failed: see Dead letters."
        table.add_row(Text(sample.business.name), Text(_told(sample.before)), Text(after))
    return table


def _told(made: dict[str, Any] | None) -> str:
    if made is None:
        return "–"
    return "\n".join(line for line in (", ".join(made["tags"]), made["summary_mn"], made["summary_en"]) if line)
