"""`manage.py curate_collections`: has the collections of a surface and day made, or shows what they would be."""

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.inline import Crew
from jobs.kinds import get_kind
from jobs.models import Lane
from jobs.quiet import only_warnings
from yellowbook.curation import services
from yellowbook.curation.days import FURTHEST, today, within_reach
from yellowbook.curation.making import make
from yellowbook.curation.models import CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS
from yellowbook.curation.parameters import Parameters
from yellowbook.curation.selectors import State, collections_of, standing_of
from yellowbook.curation.surfaces import SURFACES
from yellowbook.directory.models import Business

#: Seconds between two looks at a set that is followed.
LOOK_EVERY: Final = 0.2
#: A title in both languages, who gave it, and the names of the businesses.
Row = tuple[str, str, str, Sequence[str]]


class Command(BaseCommand):
    """Makes the job, and follows it if asked to."""

    help = (
        "Has the collections of one surface, or of all, made for a day, anew if they are there. The workers do it; with"
        " --follow this process helps, waits, and shows them. --dry-run shows what they would be, and stores nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--surface", choices=list(SURFACES), help="one surface; else all")
        parser.add_argument("--date", help="a day of UTC, as 2026-01-31; else today")
        parser.add_argument("--collections-count", type=int, help="how many collections")
        parser.add_argument("--businesses-per-collection", type=int, help="of how many businesses")
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="only businesses with it: category, city, price_level, tag, or featured=true; may be repeated",
        )
        parser.add_argument("--dry-run", action="store_true", help="only show them, with titles from templates")
        parser.add_argument("--follow", action="store_true", help="wait until they are made, and show them")

    def handle(self, *args: Any, **given: Any) -> None:
        """Do it."""
        day, parameters = _day(given["date"]), _parameters(given)
        surfaces = [given["surface"]] if given["surface"] else list(SURFACES)
        if given["dry_run"]:
            for surface in surfaces:
                self._show(f"{surface} {day}", _outlook(surface, day, parameters))
            return
        rows = [services.regenerate(surface, day, parameters).collection_set for surface in surfaces]
        self.stdout.write(f"To be made: {', '.join(map(str, rows))}.")
        if given["follow"]:
            self._follow(rows)

    def _follow(self, rows: Sequence[CollectionSet]) -> None:
        with only_warnings("jobs", "yellowbook"), Crew(get_kind(CURATE_COLLECTIONS)):
            for row in rows:
                self._await(row)
        for row in rows:
            self._show(str(row), _made(row))
            row.refresh_from_db()
            if row.note:
                self.stdout.write(row.note)

    def _await(self, row: CollectionSet) -> None:
        """Wait for a set; raise `CommandError` where that would be in vain."""
        while (standing := _standing(row)).state != State.READY:
            if standing.state == State.DELAYED and standing.next_attempt_at is None:
                raise CommandError(f"{row}: {standing.why}")
            lane = Lane.objects.filter(kind=CURATE_COLLECTIONS, paused_at__isnull=False).first()
            if lane is not None:
                raise CommandError(f"The lane {lane.kind} is paused: {lane.pause_reason or 'no reason given'}.")
            time.sleep(LOOK_EVERY)

    def _show(self, title: str, rows: Sequence[Row]) -> None:
        table = Table(title=title, title_justify="left", show_lines=True)
        for column in ("Mongolian", "English", "Titles by", "Businesses"):
            table.add_column(column, overflow="fold")
        for mongolian, english, by, names in rows:
            table.add_row(Text(mongolian), Text(english), by, Text(", ".join(names)))
        console = Console()
        with console.capture() as captured:
            console.print(table if rows else f"{title}: no collections")
        self.stdout.write(captured.get())


def _standing(row: CollectionSet) -> Any:
    return standing_of(CollectionSet.objects.get(pk=row.pk))


def _day(text: str | None) -> date:
    try:
        day = date.fromisoformat(text) if text else today()
    except ValueError:
        raise CommandError(f"--date {text!r} is no day: expected one as in 2026-01-31.") from None
    if not within_reach(day):
        raise CommandError(f"--date {text!r} is more than {FURTHEST} days from today.")
    return day


def _parameters(given: dict[str, Any]) -> Parameters:
    numbers = {
        name: given[name] for name in ("collections_count", "businesses_per_collection") if given[name] is not None
    }
    filters = dict(each.partition("=")[::2] for each in given["filter"])
    try:
        return Parameters.model_validate({**numbers, "filters": filters})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise CommandError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _outlook(surface: str, day: date, parameters: Parameters) -> list[Row]:
    made = make(SURFACES[surface], day, parameters, ask=False).collections
    every = [pk for each in made for pk in each.chosen.businesses]
    names = dict(Business.objects.filter(pk__in=every).values_list("pk", "name"))
    return [
        (each.titles.mn, each.titles.en, each.titles.by, [names[pk] for pk in each.chosen.businesses if pk in names])
        for each in made
    ]


def _made(row: CollectionSet) -> list[Row]:
    shown = collections_of(CollectionSet.objects.filter(pk=row.pk))
    return [
        (told.title_mn, told.title_en, told.titled_by, [business.name for business in each.businesses])
        for each in shown
        for told in [each.collection]
    ]
