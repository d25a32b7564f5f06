"""`manage.py switch_model NEW`: fill a new model in while the old one serves, compare them, switch; also back again."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

from embeddings import switch
from embeddings.current import current_model, provider_for
from embeddings.filling import FillStopped, Follower, fill, run_for
from embeddings.models import Embedding
from embeddings.overlap import Overlap, overlap
from embeddings.quota import try_provider
from embeddings.source import text_source
from embeddings.switch import CantSwitch, Coverage, Switched, coverage_of
from jobs import health, runs, workers
from jobs.actor import current_actor
from jobs.errors import JobError, RateLimited
from jobs.lifecycle import StateConflict
from jobs.models import Run
from jobs.runs import RunActive

#: Exit codes besides 0, what was asked for is done.
NOT_DONE: Final = 1
NOT_STARTED: Final = 2
INTERRUPTED: Final = 130

#: Characters that the name of a model may have.
LONGEST_NAME: Final = 100


class Command(BaseCommand):
    """Delegates to `embeddings.filling`, `embeddings.overlap` and `embeddings.switch`."""

    help = (
        "Changes the embedding model while the system runs: fills in the new model's vectors beside the old ones, "
        "tells how alike the two see the businesses, switches in one step, and catches up with what changed meanwhile. "
        "Exit code 0: done; 1: not switched, or not dropped; 2: nothing was begun; 130: interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("model", nargs="?", metavar="NEW", help="the model to serve from now on")
        what.add_argument("--rollback", action="store_true", help="let the model serve again that served before")
        what.add_argument("--drop", metavar="OLD", help="delete the vectors of a model that does not serve")
        what.add_argument("--status", action="store_true", help="tell which model serves, and which have vectors")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--min-coverage",
            type=float,
            default=100.0,
            metavar="PERCENT",
            help="switch if so many businesses have a fresh vector by NEW (default: 100; 0 switches without filling)",
        )
        parser.add_argument(
            "--sample", type=int, default=100, metavar="N", help="businesses whose neighbours are compared (0: none)"
        )
        parser.add_argument("--fill-only", action="store_true", help="fill and compare, do not switch")
        parser.add_argument("--inline", action="store_true", help="do the work in this process, without workers")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked for, and exit with the code that fits."""
        self._options = options
        self._told: dict[str, Any] = {}
        act = self._act()
        try:
            self._check_system()
            act()
        except (CantSwitch, FillStopped, RunActive) as error:
            raise CommandError(str(error), returncode=NOT_DONE) from None
        except (OperationalError, InterfaceError) as error:
            message = str(error).strip().partition("\n")[0]
            raise CommandError(f"The database can't be reached: {message}", returncode=NOT_STARTED) from error
        except KeyboardInterrupt:
            self.stderr.write("Interrupted. A run goes on without this command: the same command takes it up again.")
            sys.exit(INTERRUPTED)
        if options["json"]:
            self.stdout.write(json.dumps(self._told, ensure_ascii=False, indent=2, default=str))

    def _act(self) -> Callable[[], None]:
        """Return what to do, after a look at the options."""
        if self._options["status"]:
            return self._status
        if self._options["drop"]:
            return self._drop
        if not 0 <= self._options["min_coverage"] <= 100:
            raise CommandError("--min-coverage is a share in percent, from 0 to 100.", returncode=NOT_STARTED)
        if self._options["sample"] < 0:
            raise CommandError("--sample is a number of businesses, 0 or more.", returncode=NOT_STARTED)
        return self._rollback if self._options["rollback"] else self._switch

    # --- switching ------------------------------------------------------------------------------------------------

    def _switch(self) -> None:
        new, old = str(self._options["model"]), current_model()
        self._check_model(new)
        if new == old:
            self._say(f"{new} serves already.")
            self._tell(serving=new, switched=False, coverage=self._fill(new, 100.0).percentage)
            return
        if not (self._options["yes"] or self._options["fill_only"]):
            self._check_somebody_is_there()
        self._try(new)
        self._say(f"{old} serves. {new} will.")
        coverage = self._fill(new, 100.0 if self._options["fill_only"] else self._options["min_coverage"])
        self._compare(old, new)
        self._tell(serving=old, coverage=coverage.percentage, switched=False)
        if self._options["fill_only"]:
            return
        least = self._options["min_coverage"]
        if coverage.percentage < least:
            raise CommandError(
                f"Not switched: {coverage.missing:,} of {coverage.total:,} businesses have no fresh vector by {new} "
                f"({coverage.percentage:g} % have, --min-coverage is {least:g}). Dead letters tell why; see --status.",
                returncode=NOT_DONE,
            )
        if not self._agreed(f"Let {new} serve instead of {old}?"):
            raise CommandError(f"Not switched: {old} serves.", returncode=NOT_DONE)
        switched = switch.switch(new, expected=old, actor=current_actor())
        self._say(f"Switched: {new} serves now. Back again: switch_model --rollback.")
        self._catch_up(switched, wait=True)
        self._tell(serving=new, previous=old, switched=True, coverage=coverage_of(new).percentage)

    def _rollback(self) -> None:
        """Switch back at once: what changed since is made while the model serves already."""
        try:
            switched = switch.rollback(actor=current_actor())
        except JobError as error:
            raise CommandError(error.message, returncode=NOT_STARTED) from None
        self._say(f"Switched back: {switched.model} serves now, instead of {switched.previous}.")
        self._catch_up(switched, wait=self._options["inline"])
        coverage = coverage_of(switched.model)
        if coverage.missing:
            self._say(f"{coverage.missing:,} of {coverage.total:,} businesses have changed since; a run embeds them.")
        self._tell(serving=switched.model, previous=switched.previous, switched=True, coverage=coverage.percentage)

    def _catch_up(self, switched: Switched, *, wait: bool) -> None:
        """See to what changed until the switch."""
        works = self._somebody_works()
        if not works:
            self._warn("No worker is alive: what is lacking is made once there is manage.py rundramatiq.")
        with self._follower() as follower:
            run = switched.run or self._instead_of(switched, follower if works else None)
            if run is None or not (wait and works):
                return
            follower.follow(run)
        coverage = self._fill(switched.model, 100.0)
        if coverage.missing:
            self._warn(
                f"{coverage.missing:,} of {coverage.total:,} businesses have no fresh vector by {switched.model}."
            )

    def _instead_of(self, switched: Switched, follower: Follower | None) -> Run | None:
        """Begin the run that another one was in the way of; one that fills the model that was left is not needed."""
        other = switched.in_the_way
        if other is not None and other.options.get("model") == switched.previous:
            with suppress(StateConflict):
                runs.stop(other.id)
            if follower is not None:
                with suppress(FillStopped):
                    follower.follow(other)
            with suppress(RunActive):
                return run_for(switched.model, current_actor())
        self._warn(f"Another run is in the way. When it has ended: switch_model {switched.model}")
        return None

    def _fill(self, model: str, least: float) -> Coverage:
        """Make the vectors that the model lacks, unless it has enough of them; return how many it has."""
        coverage = coverage_of(model)
        if coverage.percentage >= least:
            return coverage
        self._check_workers()
        self._say(f"{coverage.missing:,} of {coverage.total:,} businesses need a vector by {model}.")
        with self._follower() as follower:
            coverage = fill(model, follower, actor=current_actor())
        self._say(f"{coverage.fresh:,} of {coverage.total:,} have one now ({coverage.percentage:g} %).")
        return coverage

    def _compare(self, old: str, new: str) -> None:
        found = overlap(old, new, sample=self._options["sample"]) if self._options["sample"] else None
        self._tell(overlap=None if found is None else _numbers(found))
        if found is None:
            self._say("The neighbours were not compared: too few businesses have a vector by both models.")
            return
        label = text_source().labels([found.worst_business]).get(found.worst_business, "")
        self._say(
            f"Of the {found.neighbours} nearest neighbours, both models name {found.mean:.0%} on average "
            f"({found.sampled:,} of {found.businesses:,} businesses were asked); "
            f"{found.worst:.0%} at the least, for {label or found.worst_business}."
        )

    # --- looking, and dropping ------------------------------------------------------------------------------------

    def _status(self) -> None:
        serving, row = current_model(), switch.serving_row()
        total = text_source().subjects().count()
        found = switch.models()
        self._tell(
            serving=serving,
            previous=row.previous if row else "",
            switched_at=row.switched_at.isoformat() if row else None,
            switched_by=row.switched_by if row else "",
            businesses=total,
            models=found,
        )
        if row is None:
            self._say(f"{serving} serves, as the settings say.")
        else:
            self._say(f"{serving} serves, since {row.switched_at:%Y-%m-%d %H:%M} UTC (by {row.switched_by}).")
            self._say(f"Before it: {row.previous}." if row.previous else "There is no model to go back to.")
        for each in found:
            self._say(
                f"  {each['model']}: {each['vectors']:,} vectors, {each['fresh']:,} of them of the present text, "
                f"for {total:,} businesses"
            )

    def _drop(self) -> None:
        old, serving = str(self._options["drop"]), current_model()
        number = Embedding.objects.filter(model=old).count()
        if not number:
            known = ", ".join(each["model"] for each in switch.models()) or "none"
            raise CommandError(f"{old} has no vectors. Models that have some: {known}.", returncode=NOT_STARTED)
        if old != serving:
            if not self._options["yes"]:
                self._check_somebody_is_there()
            coverage = coverage_of(serving)
            self._say(f"{serving} serves, with fresh vectors of {coverage.percentage:g} % of the businesses.")
            if not self._agreed(f"Delete the {number:,} vectors of {old}?"):
                raise CommandError("Nothing was deleted.", returncode=NOT_DONE)
        dropped = 0
        for size in switch.drop(old):
            dropped += size
            if dropped < number:
                self._warn(f"{dropped:,} of {number:,} deleted.")
        self._say(f"{dropped:,} vectors of {old} were deleted.")
        self._tell(serving=serving, dropped=old, vectors=dropped)

    # --- what has to hold -----------------------------------------------------------------------------------------

    def _check_system(self) -> None:
        """Refuse to begin without what nothing works without."""
        found = health.check()
        for part in found.failed:
            raise CommandError(f"{part}: {found.parts[part]}", returncode=NOT_STARTED)
        for part in {"redis", "rabbitmq"}.intersection(found.degraded):
            self._warn(f"{part}: {found.parts[part]}. Jobs wait until it is back.")

    def _check_model(self, model: str) -> None:
        if not model.strip() or len(model) > LONGEST_NAME:
            raise CommandError(f"A model's name has 1 to {LONGEST_NAME} characters.", returncode=NOT_STARTED)
        try:
            provider_for(model)
        except JobError as error:
            raise CommandError(error.message, returncode=NOT_STARTED) from None

    def _check_workers(self) -> None:
        if not self._somebody_works():
            raise CommandError(
                "No worker is alive: start manage.py rundramatiq, or give --inline.", returncode=NOT_STARTED
            )

    def _somebody_works(self) -> bool:
        return self._options["inline"] or workers.alive().exists()

    def _check_somebody_is_there(self) -> None:
        if self._options["json"] or not sys.stdin.isatty():
            raise CommandError("There is nobody to ask: give --yes.", returncode=NOT_STARTED)

    def _try(self, model: str) -> None:
        """Embed one short text by the model: a wrong name or key is told here, and not by a thousand jobs."""
        try:
            try_provider(provider_for(model))
        except RateLimited as error:
            self._warn(f"{model} was not tried first: {error.message}")
        except JobError as error:
            raise CommandError(f"{model} can't be used: {error.message}", returncode=NOT_STARTED) from None

    def _agreed(self, question: str) -> bool:
        if self._options["yes"]:
            return True
        try:
            return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
        except EOFError:
            return False

    # --- telling --------------------------------------------------------------------------------------------------

    def _follower(self) -> Follower:
        return Follower(self.stderr.write, inline=self._options["inline"], bar=not self._options["json"])

    def _say(self, line: str) -> None:
        """Tell a person; with `--json` on the other stream."""
        (self.stderr if self._options["json"] else self.stdout).write(line)

    def _warn(self, line: str) -> None:
        self.stderr.write(line)

    def _tell(self, **values: Any) -> None:
        """Note what `--json` prints."""
        self._told.update(values)


def _numbers(found: Overlap) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Overlap.__slots__}
