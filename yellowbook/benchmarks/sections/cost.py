"""What a day costs at the provider: no text is embedded that did not change."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from django.test import Client

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.quota import PROBE_TEXT
from jobs.models import JobExecution
from yellowbook.benchmarks.measure import Figure, Scale, Section, register
from yellowbook.benchmarks.sections.saves import staff_client
from yellowbook.benchmarks.system import await_quiet, standin, workers
from yellowbook.benchmarks.texts import invented

#: Businesses that are entered; updates, and one in how many of these changes the text.
CREATES: Final = 1_000
UPDATES, CHANGES_TEXT = 5_000, 5


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the texts and calls of a day: new businesses, updates, then the file of all of them again."""
    client = staff_client()
    creates, updates = scale(CREATES), scale(UPDATES)
    rows = [
        {
            "external_id": f"day-{number}",
            "name": each.name,
            "category": each.category,
            "description": each.description,
            # No two have one text: what one of them costs, another one would not.
            "address": f"{each.address}, {number}",
            "city": each.city,
            "phone": "",
        }
        for number, each in enumerate(invented(creates, seed=7))
    ]
    with standin() as google, workers(1, google.settings):
        ids = [_sent(client.post("/api/yellow-books", row, "application/json"), 201)["id"] for row in rows]
        await_quiet()
        for number in range(updates):
            row = rows[number % creates]
            row["description" if _changes_text(number, creates) else "phone"] = f"{number:08d}"
            _sent(client.patch(f"/api/yellow-books/{ids[number % creates]}", row, "application/json"), 200)
        await_quiet()
        imported = _import(client, rows)
        await_quiet()
        calls = google.steer("GET", "log")["calls"]
    probe = sha256(PROBE_TEXT.encode()).hexdigest()
    probes = sum(call["sha256"] == [probe] for call in calls)
    texts = sum(call["texts"] for call in calls) - probes
    changed = creates + sum(_changes_text(number, creates) for number in range(updates))
    jobs = JobExecution.objects.filter(kind=GENERATE_EMBEDDING).count()
    yield Figure("texts sent", texts, "", changed, changed, "texts that are new or changed")
    yield Figure("provider calls", len(calls) - probes, "", changed, against="one for each text")
    yield Figure("texts by which a worker tries the key at its start", probes, "", changed, against="texts of the day")
    yield Figure("jobs made", jobs, "", creates + updates + len(rows), against="saves")
    yield Figure("rows of the file imported again that changed anything", imported, "", len(rows), 0, "rows")


register(Section("cost", f"a day of {CREATES:,} new businesses, {UPDATES:,} updates and the whole file again", measure))


def _changes_text(number: int, creates: int) -> bool:
    """Tell whether an update changes the text; each round over all businesses changes that of another fifth."""
    return number % CHANGES_TEXT == number // creates


def _sent(response: Any, status: int) -> dict[str, Any]:
    if response.status_code != status:
        raise RuntimeError(f"expected {status}, was {response.status_code}: {response.content[:300]!r}")
    found: dict[str, Any] = response.json()
    return found


def _import(client: Client, rows: Sequence[Mapping[str, str]]) -> int:
    """Import all rows as they are; return how many were new or changed."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    report = _sent(client.post("/api/yellow-books/import", file.getvalue().encode(), "text/csv"), 202)
    return int(report["created"]) + int(report["updated"])
