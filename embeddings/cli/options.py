"""What can be asked for on the command line."""

from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

#: An hour, in milliseconds; the same as in the API.
LONGEST_DELAY: Final = 3_600_000
#: `--resume` without an id: the last run.
LAST: Final = "last"

#: Options that choose what a new run is about, with what they are when they are not given.
CHOICES: Final[Mapping[str, Any]] = {
    "batch_size": 10,
    "delay": 0,
    "force": False,
    "skip_existing": True,
    "stale_only": False,
    "category": None,
    "limit": None,
    "resume_from": None,
}
#: Options that ask for something else than a new run.
OTHER_ACTS: Final = ("status", "stop", "resume")


class Misuse(Exception):
    """Options that don't go together; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for."""

    #: start | dry_run | status | stop | resume
    act: str
    #: Of a new run, in the form that `embeddings.services.embed_all` takes.
    options: Mapping[str, Any]
    model: str
    #: The run to resume: its id, or `LAST`.
    resume: str
    #: None: as the terminal suggests.
    follow: bool | None
    inline: bool
    json: bool


def add_to(parser: ArgumentParser) -> None:
    """Declare the options."""
    _declare_choices(parser)
    acts = parser.add_argument_group("instead of starting a run").add_mutually_exclusive_group()
    acts.add_argument("--dry-run", action="store_true", help="count businesses, texts, tokens, time and cost")
    acts.add_argument("--status", action="store_true", help="show the run under way, else the last one")
    acts.add_argument("--stop", action="store_true", help="stop the run under way; it can be resumed")
    acts.add_argument(
        "--resume",
        nargs="?",
        const=LAST,
        metavar="RUN",
        help="go on where a run was stopped (default: the last one); one that is under way is followed",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--follow",
        action=BooleanOptionalAction,
        default=None,
        help="watch the run until its end (default: with --inline, and after starting or resuming on a terminal)",
    )
    how.add_argument("--inline", action="store_true", help="do the work in this process: needs no worker")
    how.add_argument("--json", action="store_true", help="for scripts: one JSON object per line, and nothing else")


def _declare_choices(parser: ArgumentParser) -> None:
    what = parser.add_argument_group("what to embed")
    what.add_argument(
        "--skip-existing",
        action=BooleanOptionalAction,
        default=CHOICES["skip_existing"],
        help="leave out what has a vector of its present text (the default); otherwise it is looked at, at no cost",
    )
    what.add_argument("--force", action="store_true", help="embed again even what is unchanged")
    what.add_argument("--stale-only", action="store_true", help="only what has a vector, but none of its present text")
    what.add_argument("--category", metavar="NAME", help="only businesses of this category")
    what.add_argument("--limit", type=_number(1, 2**31 - 1), metavar="N", help="at most this many businesses")
    what.add_argument("--resume-from", type=_uuid, metavar="ID", help="begin after the business with this id")
    what.add_argument("--model", metavar="NAME", help="refuse to start unless this is the model in use")
    what.add_argument(
        "--delay",
        type=_number(0, LONGEST_DELAY),
        default=CHOICES["delay"],
        metavar="MS",
        help="milliseconds between two batches (default: 0, as fast as the workers are)",
    )
    what.add_argument(
        "--batch-size",
        type=_number(1, 10_000),
        default=CHOICES["batch_size"],
        metavar="N",
        help="businesses of a batch, where there is a --delay (default: 10)",
    )


def understand(given: Mapping[str, Any]) -> Asked:
    """Put what was given into order. Raises `Misuse`."""
    act = next((each for each in ("dry_run", *OTHER_ACTS) if given[each]), "start")
    chosen = [_flag(name) for name, default in CHOICES.items() if given[name] != default]
    if given["model"]:
        chosen.append("--model")
    if act in OTHER_ACTS and chosen:
        raise Misuse(f"{_flag(act)} does not go with {chosen[0]}: that is for a new run.")
    if given["inline"] and act in {"dry_run", "stop"}:
        raise Misuse(f"--inline does not go with {_flag(act)}: nothing is embedded by it.")
    if given["inline"] and act == "status":
        raise Misuse("--inline does not go with --status. To work on a run that is under way: --resume --inline.")
    if given["inline"] and given["follow"] is False:
        raise Misuse("--inline does not go with --no-follow: the run would go on without anybody working on it.")
    options = {name: given[name] for name, default in CHOICES.items() if given[name] is not None}
    options["delay"] = given["delay"] / 1000
    return Asked(
        act=act,
        options=options,
        model=given["model"] or "",
        resume=given["resume"] or "",
        follow=given["follow"],
        inline=given["inline"],
        json=given["json"],
    )


def _flag(name: str) -> str:
    return "--no-skip-existing" if name == "skip_existing" else f"--{name.replace('_', '-')}"


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ArgumentTypeError(f"{text!r} is not a number from {least:,} to {most:,}")
        return number

    return read


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not the id of a business") from None
