"""`manage.py check_alerts`: evaluate every rule now, from wherever this is called."""

import json
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs import workers
from jobs.alerts.api import as_dict
from jobs.alerts.evaluate import evaluate
from jobs.alerts.names import DELIVER_ALERT
from jobs.alerts.rules import all_rules
from jobs.alerts.standing import UNKNOWN, Standing, standings
from jobs.clean import clean
from jobs.execute import run_lane

#: The most messages that one call sends by itself.
MOST = 100

#: Exit codes: a rule fires; none does, but about some nothing is known.
FIRING, CANT_TELL = 1, 2


class Command(BaseCommand):
    """For cron and for other hosts: it sees what no worker can, that there is none."""

    help = (
        "Evaluates every alert rule, as the workers' leader does every 15 seconds, and prints how they stand. "
        "Where no worker is alive, it also sends the messages that wait. "
        "Exit code 1 when a rule fires, 2 when about some rule nothing is known."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="print what GET /api/admin/alerts answers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate, send what nobody else would, print."""
        try:
            alone = not workers.alive().exists()
            evaluate(rule for rule in all_rules() if alone or not rule.local)
            if alone:
                _send_waiting()
            found = standings()
        except DatabaseError as error:
            self.stderr.write(f"The database can't be asked: {clean(str(error)).strip()}")
            raise SystemExit(CANT_TELL) from error
        if options["json"]:
            self.stdout.write(json.dumps([as_dict(each) for each in found], cls=DjangoJSONEncoder, indent=2))
        else:
            Console(file=cast(IO[str], self.stdout)).print(_table(found))
        if any(each.firing for each in found):
            raise SystemExit(FIRING)
        if any(each.state == UNKNOWN for each in found):
            raise SystemExit(CANT_TELL)


def _send_waiting() -> None:
    """Do what a worker would do with the messages that are due."""
    for _ in range(MOST):
        if not run_lane(DELIVER_ALERT):
            break


def _table(found: list[Standing]) -> Table:
    """Return the rules as a table for a terminal."""
    table = Table("rule", "state", "value", "limit", "message")
    for each in found:
        cells = (
            each.rule.name,
            each.state.upper() if each.firing else each.state,
            each.rule.unit.show(each.value),
            each.rule.unit.show(each.rule.threshold),
            f"{each.message} {each.rule.next_step}" if each.firing else each.message,
        )
        # As texts: brackets in a message are no markup.
        table.add_row(*map(Text, cells), style="bold red" if each.firing else "")
    for column in (2, 3):
        table.columns[column].justify = "right"
    return table
