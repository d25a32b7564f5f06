"""`manage.py check_invariants`: whether the rows contradict themselves, and mending what can be mended."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.upkeep.audit import Verdict, audit, invariants, repair


class Command(BaseCommand):
    """Checks every invariant, with examples of what violates it."""

    help = (
        "Checks from the rows that nothing is lost, stuck or contradictory. --repair mends what it can, mostly by "
        "making jobs, and checks again. Exit code 0: all hold; 1: some are violated or could not be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--repair", action="store_true", help="mend what can be mended, then check again")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="NAME",
            choices=[each.name for each in invariants()],
            help="check only this one (may be given several times): %(choices)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, repair, check again what was repaired, and say what came of it."""
        quiet = options["json"]
        verdicts = audit(options["only"], on_verdict=(lambda verdict: None) if quiet else self._show)
        done: dict[str, int] = {}
        if options["repair"]:
            done = repair(verdicts)
            for name, rows in () if quiet else done.items():
                self.stdout.write(f"Repaired: {name}, {rows:,} rows.")
            if done:
                again = audit(list(done), on_verdict=(lambda verdict: None) if quiet else self._show)
                after = {verdict.invariant.name: verdict for verdict in again}
                verdicts = [after.get(verdict.invariant.name, verdict) for verdict in verdicts]
        if quiet:
            self.stdout.write(json.dumps(_told(verdicts, done), ensure_ascii=False))
        broken = [verdict.invariant.name for verdict in verdicts if not verdict.holds]
        if broken:
            raise CommandError(f"{len(broken)} of {len(verdicts)} do not hold: {', '.join(broken)}.", returncode=1)
        if not quiet:
            self.stdout.write(self.style.SUCCESS(f"All {len(verdicts)} hold."))

    def _show(self, verdict: Verdict) -> None:
        """Print a line for what holds, and for what does not the examples and what to do."""
        invariant, finding = verdict.invariant, verdict.finding
        if verdict.holds:
            self.stdout.write(f"{self.style.SUCCESS('ok       ')} {invariant.name:<36} {verdict.seconds:7.2f} s")
            return
        state = "NOT KNOWN" if verdict.error else "VIOLATED "
        count = verdict.error or f"{finding.count:,}"
        self.stdout.write(f"{self.style.ERROR(state)} {invariant.name:<36} {verdict.seconds:7.2f} s  {count}")
        self.stdout.write(f"          {invariant.title} Not so:")
        for example in finding.examples:
            self.stdout.write(f"            {example}")
        if finding.count > len(finding.examples):
            self.stdout.write(f"            ... and {finding.count - len(finding.examples):,} more")
        self.stdout.write(f"          {'--repair: ' if invariant.repair else 'What to do: '}{invariant.remedy}")


def _told(verdicts: list[Verdict], done: dict[str, int]) -> dict[str, Any]:
    return {
        "holds": all(verdict.holds for verdict in verdicts),
        "invariants": [
            {
                "name": verdict.invariant.name,
                "title": verdict.invariant.title,
                "holds": verdict.holds,
                **asdict(verdict.finding),
                "seconds": verdict.seconds,
                "error": verdict.error,
                "remedy": verdict.invariant.remedy,
                "repairable": verdict.invariant.repair is not None,
                "repaired": done.get(verdict.invariant.name),
            }
            for verdict in verdicts
        ],
    }
