"""`manage.py doctor`: looks at the installation and says what to do about what it finds."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.upkeep.examination import Examined, State, examine


class Command(BaseCommand):
    """One line per check: its state, its name, what was seen, and what to do."""

    help = (
        "Looks at settings, servers, workers and what waits for a person, and says what to do about each finding. "
        "Exit code 0: no problem (there may be warnings); 1: a problem."
    )
    #: It does them itself: where they fail, it is wanted most.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--probe", action="store_true", help="try the provider too: spends one text of its quota")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look at everything and tell."""
        quiet = options["json"]
        found = examine(spend=options["probe"], on_examined=(lambda one: None) if quiet else self._show)
        count = {state: sum(one.diagnosis.state == state for one in found) for state in State}
        if quiet:
            self.stdout.write(json.dumps(_told(found), ensure_ascii=False))
        else:
            self.stdout.write(
                f"{count[State.OK]} ok, {count[State.WARNING]} warnings, {count[State.PROBLEM]} problems."
            )
        if count[State.PROBLEM]:
            names = [one.check.name for one in found if one.diagnosis.state == State.PROBLEM]
            raise CommandError(f"Problems: {', '.join(names)}.", returncode=1)

    def _show(self, one: Examined) -> None:
        styles = {State.OK: self.style.SUCCESS, State.WARNING: self.style.WARNING, State.PROBLEM: self.style.ERROR}
        seen = one.diagnosis
        todo = f". {seen.todo}" if seen.todo else ""
        self.stdout.write(f"{styles[seen.state](f'{seen.state:<8}')} {one.check.name:<18} {seen.says}{todo}")


def _told(found: list[Examined]) -> dict[str, Any]:
    return {
        "healthy": all(one.diagnosis.state != State.PROBLEM for one in found),
        "checks": [
            {
                "name": one.check.name,
                "state": one.diagnosis.state,
                "says": one.diagnosis.says,
                "todo": one.diagnosis.todo,
            }
            for one in found
        ],
    }
