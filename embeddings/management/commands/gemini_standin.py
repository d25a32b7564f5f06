"""Run the stand-in for Google's API."""

import signal
import threading
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from embeddings.standin.faults import FAULTS, Rule
from embeddings.standin.keys import Keys
from embeddings.standin.log import CallLog
from embeddings.standin.quotas import Quotas
from embeddings.standin.server import StandInServer
from embeddings.standin.service import StandIn

_STARTED = """\
A stand-in for Google's Gemini API is running. Point the system at it:

EMBEDDING_PROVIDER=gemini
GEMINI_API_KEY={key}
GEMINI_BASE_URL={url}

Steer it while it runs:

  curl {url}/_standin/state
  curl {url}/_standin/faults -d '{{"fault": "503", "calls": 3}}'
  curl {url}/_standin/faults -d '{{"fault": ["reset", "500"], "probability": 0.3}}'
  curl {url}/_standin/faults -X DELETE
  curl {url}/_standin/keys -d '{{"revoke": ["*"]}}'
  curl {url}/_standin/           lists the rest, and all faults

Ctrl-C stops it.
"""

_EPILOG = """\
faults:
{faults}

A fault is given as NAME, with options behind colons: calls=N (the next N calls; 1 by default), after=N (leave N calls
alone first), probability=P (with seed=N), marker=TEXT (calls with a text that contains it), retry_after=SECONDS (what
429, 500, 503 and 504 say about when to come back). For example:

  --fault 503:calls=3            the next three calls
  --fault reset:probability=0.2  every fifth call or so, until it is taken back
  --fault 400:marker=poison      every call with "poison" in one of its texts
"""


class Command(BaseCommand):
    """`manage.py gemini_standin`: serve until interrupted. Needs no database and no Redis."""

    help = (
        "Run a stand-in for Google's Gemini API: the real wire format over HTTP with meaningful vectors, and with the "
        "latency, quotas and faults of your choice, to rehearse an outage or to try the system without a key."
    )
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add the list of faults to the help."""
        faults = "\n".join(f"  {name:20} {what}" for name, what in FAULTS.items())
        kwargs.update(formatter_class=_HelpFormatter, epilog=_EPILOG.format(faults=faults))
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Describe the options."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
        parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="how long an answer takes")
        parser.add_argument("--rpm", type=int, metavar="TEXTS", help="texts per minute (default: unlimited)")
        parser.add_argument("--tpm", type=int, metavar="TOKENS", help="tokens per minute (default: unlimited)")
        parser.add_argument("--rpd", type=int, metavar="TEXTS", help="texts per day, Pacific time (default: unlimited)")
        parser.add_argument(
            "--key", action="append", default=[], help="accept only this key (repeatable; default: any)"
        )
        parser.add_argument("--fault", action="append", default=[], help="start with a fault (repeatable; see below)")
        parser.add_argument("--log-texts", action="store_true", help="keep the texts in the call log, not only hashes")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM, then say what happened."""
        standin = StandIn(
            quotas=Quotas(rpm=options["rpm"], tpm=options["tpm"], rpd=options["rpd"]),
            keys=Keys(options["key"]),
            log=CallLog(with_texts=options["log_texts"]),
            latency=options["latency"],
        )
        for given in options["fault"]:
            standin.faults.add(_rule(given))
        try:
            server = StandInServer(standin, host=options["host"], port=options["port"])
        except OSError as error:
            raise CommandError(f"{options['host']}:{options['port']} can't be listened on: {error.strerror}") from error
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        with server:
            key = options["key"][0] if options["key"] else "rehearsal"
            self.stdout.write(_STARTED.format(url=server.url, key=key))
            self.stdout.flush()
            stopped.wait()
        totals = standin.log.totals()
        self.stdout.write(f"Stopped after {totals['calls']} calls with {totals['texts']} texts.")


class _HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of options, with the line breaks of our texts."""


def _rule(given: str) -> Rule:
    """Make a rule of `NAME:option=value:...`. Raises `CommandError`."""
    fault, *options = given.split(":")
    fields: dict[str, Any] = {"fault": fault}
    numbers: dict[str, type] = {"calls": int, "after": int, "seed": int, "probability": float, "retry_after": float}
    try:
        for option in options:
            name, _, value = option.partition("=")
            fields[name] = numbers[name](value) if name in numbers else value
        return Rule.parsed(fields)
    except ValueError as error:
        raise CommandError(f"--fault {given}: {error}") from error
