"""A database for the length of an evaluation."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.db import connection

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.execute import run_lane
from yellowbook.directory.importer import Report, import_file
from yellowbook.search.refresh import refresh

#: Columns that are taken; the rest says nothing about what a search finds.
COLUMNS: Final = ("name", "category", "description", "address", "city")
#: Stands where a row lacks what every business has to have.
UNKNOWN: Final = "-"


@contextmanager
def scratch_database() -> Iterator[None]:
    """Have everything inside use a database of its own on the same server, made new and dropped afterwards."""
    before = connection.settings_dict["NAME"]
    _forget_connections()
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        _forget_connections()
        connection.creation.destroy_test_db(before, verbosity=0)


def _forget_connections() -> None:
    """Close the connection and its pool, which would go on leading to the database of before."""
    connection.close()
    pooled: Any = connection
    pooled.close_pool()


def fill(path: Path) -> Report:
    """Import a CSV file, embed it and index it, in this process; a row is kept though it lacks an address."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["external_id", *COLUMNS])
    writer.writeheader()
    for number, row in enumerate(rows, 1):
        known = {name: (row.get(name) or "").strip() for name in COLUMNS}
        known["address"] = known["address"] or known["city"] or UNKNOWN
        known["category"] = known["category"] or UNKNOWN
        writer.writerow({"external_id": f"row-{number}", **known})
    report = import_file(io.BytesIO(text.getvalue().encode()), "csv")
    while run_lane(GENERATE_EMBEDDING):
        pass
    refresh()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return report
