"""Reads a document in a process of its own, with bounds on time and memory.

The HTML parser is C, and no parser of HTML is linear: half a megabyte of attributes in one tag keeps it busy for a
minute, a few megabytes of open elements for hours, and nothing in Python can interrupt it. So whatever comes from the
web is read where it can be ended. The process gets the document and nothing else: no settings, no credentials.
"""

import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from jobs.errors import InvalidInput
from yellowbook.catalogue.extract.item import MOST_ITEMS, Extraction, IdSource, Item, Provenance

#: Django's settings for the process that reads.
BARE_SETTINGS: Final = "yellowbook.catalogue.extract.bare_settings"
#: Seconds for one document. A feed of 11 MB with 9,000 businesses took 6 on a busy machine of two cores.
SECONDS: Final = 20.0
#: Bytes of memory for one document.
MEMORY: Final = 1024**3
#: Limits are whole seconds of processor time; the outer one, of waiting, is the one that is meant.
_SLACK: Final = 2


class Unfit(InvalidInput):
    """The document takes more time or memory than reading one may, or brings the parser down. Permanent."""


def extract_confined(
    body: bytes,
    url: str,
    content_type: str = "",
    *,
    fetched_at: datetime | None = None,
    most_items: int = MOST_ITEMS,
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> Extraction:
    """Do what `extract` does, in a process that ends after `seconds` or at `memory` bytes. Raises `Unfit` when it did.

    Starting it costs about a tenth of a second: less than being polite to the site does.
    """
    asked = {"url": url, "content_type": content_type, "most_items": most_items, "seconds": seconds, "memory": memory}
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", __name__],
            input=json.dumps(asked).encode() + b"\n" + body,
            capture_output=True,
            timeout=seconds,
            check=True,
            # The import path, and settings with nothing in them: what the parser could be made to give away is not
            # there.
            env={
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONUTF8": "1",
                "DJANGO_SETTINGS_MODULE": BARE_SETTINGS,
            },
        )
    except subprocess.TimeoutExpired:
        raise Unfit(f"Reading the document takes more than {seconds:g} s.") from None
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unfit(
            f"Reading the document failed: {last[:300] or f'the reader ended with {error.returncode}'}"
        ) from None
    told = json.loads(done.stdout)
    items = [_item(each, fetched_at) for each in told["items"]]
    return Extraction(items=items, next_pages=told["next_pages"], problems=told["problems"])


def _item(told: dict[str, Any], fetched_at: datetime | None) -> Item:
    provenance = Provenance(**{**told.pop("provenance"), "fetched_at": fetched_at})
    return Item(**{**told, "id_source": IdSource(told["id_source"])}, provenance=provenance)


def main() -> None:
    """Read one document from standard input, under limits, and write what is in it as JSON."""
    # Here: the process that asks for it has no use for the parser.
    from yellowbook.catalogue.extract.read import extract

    asked = json.loads(sys.stdin.buffer.readline())
    processor = int(asked["seconds"]) + _SLACK
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory"], asked["memory"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found = extract(sys.stdin.buffer.read(), asked["url"], asked["content_type"], most_items=asked["most_items"])
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
