"""Imports many businesses at once: adds new ones, updates known ones, names the rows that it can't take.

A row is about the business with its `external_id`; without one, about the business with its name and address (the
oldest one, should there be several). A column that is not given leaves the field alone, an empty cell clears an
optional one.
Rows take effect in the order of the file, so of two rows about one business the later one wins.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Final, Literal
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.enqueue import enqueue_many
from jobs.models import Run
from jobs.runs import start_run
from jobs.states import Operation, Priority
from yellowbook.directory.changes import tell_written
from yellowbook.directory.merge import Merge
from yellowbook.directory.models import Business
from yellowbook.directory.parsers import Record, UnreadableFile, read_csv, read_jsonl
from yellowbook.directory.rows import COLUMNS, Rejection, Row, check_columns, read_row
from yellowbook.directory.services import is_external_id_taken

Format = Literal["csv", "jsonl"]
#: Takes the businesses of a chunk whose text is new.
Embed = Callable[[list[Business]], object]

#: Rows that are written in one transaction.
CHUNK_ROWS: Final = 1_000
#: PostgreSQL's advisory lock that imports take turns on, chunk by chunk, since name and address are not unique: two
#: imports of one file at once would add everything twice.
TURN_LOCK: Final = 0x79_65_6C_6C_6F_77
#: Columns without meaning that a report names, and characters of each.
SHOWN_COLUMNS: Final = 20
LONGEST_COLUMN: Final = 60
#: Tries of a chunk while others add businesses with the same external ids.
_TRIES: Final = 3


class TooManyRows(UnreadableFile):
    """The file has more rows than the caller takes at once."""


@dataclass(slots=True)
class Report:
    """What an import did. Every row is counted once; `duplicates` are further rows about a business already counted."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    ignored_columns: set[str] = field(default_factory=set)
    #: The run of the jobs that a file taken as a whole made; None when it made none.
    run_id: UUID | None = None
    #: The businesses that are counted already.
    counted: set[UUID] = field(default_factory=set, repr=False)

    def note_columns(self, columns: Iterable[str]) -> None:
        """Remember those of `columns` that mean nothing here, in a form that can be shown; a few of them will do."""
        for column in set(columns).difference(COLUMNS):
            if column and len(self.ignored_columns) < SHOWN_COLUMNS:
                self.ignored_columns.add(column[:LONGEST_COLUMN].encode(errors="backslashreplace").decode())

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self.created + self.updated + self.unchanged + self.duplicates + len(self.rejected)


def import_file(
    stream: BinaryIO,
    file_format: Format,
    *,
    max_rows: int | None = None,
    dry_run: bool = False,
    on_chunk: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Import a file of CSV (with a header) or JSON lines, in UTF-8, with or without a byte order mark.

    With `max_rows` the whole file is read before anything is written, and then written in one transaction: all of its
    good rows or, when the database fails, none. Without it the file may be of any size, and each chunk of rows is a
    transaction of its own; importing the same file again after a failure goes on where it ended. A dry run reports
    the same and writes nothing. `on_chunk` is called after each chunk with the report so far.

    Raises `UnreadableFile`, before anything is written, for a file without usable header, and `TooManyRows`.
    """
    report = Report()
    records = _records(stream, file_format, report)
    if max_rows is not None:
        taken = list(islice(records, max_rows + 1))
        if len(taken) > max_rows:
            raise TooManyRows(f"The file has more than {max_rows:,} rows: split it.")
        records = iter(taken)
    if max_rows is None and not dry_run:
        for chunk in _chunks(records):
            _import(chunk, report, embed=_embed)
            on_chunk(report)
        return report
    with transaction.atomic():
        to_embed: list[Business] = []
        for chunk in _chunks(records):
            _import(chunk, report, embed=to_embed.extend)
            on_chunk(report)
        if dry_run:
            transaction.set_rollback(True)
        else:
            # All jobs at once, so that they are locked in one order whoever else enqueues many.
            run = start_run(GENERATE_EMBEDDING, total=len({each.pk for each in to_embed})) if to_embed else None
            _embed(to_embed, run)
            report.run_id = run.id if run else None
    return report


def _records(stream: BinaryIO, file_format: Format, report: Report) -> Iterator[Record]:
    """Open the file, and note the columns that an import has no use for."""
    if file_format == "csv":
        columns, records = read_csv(stream)
        check_columns(columns)
        report.note_columns(columns)
        return records
    return _noting_columns(read_jsonl(stream), report)


def _noting_columns(records: Iterable[Record], report: Report) -> Iterator[Record]:
    for record in records:
        report.note_columns(record.values)
        yield record


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, CHUNK_ROWS)):
        yield chunk


def _import(chunk: list[Record], report: Report, *, embed: Embed) -> None:
    """Import some records and add to the report what came of them."""
    rows = []
    for read in map(read_row, chunk):
        if isinstance(read, Row):
            rows.append(read)
        else:
            report.rejected.append(read)
    if rows:
        _count(_write(rows, embed=embed), report)
    report.rejected.sort(key=lambda rejection: rejection.line)


def _count(merge: Merge, report: Report) -> None:
    """Add what was written to the report."""
    report.rejected.extend(merge.rejected)
    for target in merge.targets:
        again = target.business.pk in report.counted
        report.duplicates += target.rows - (not again)
        if again:
            continue
        report.counted.add(target.business.pk)
        if target.is_new:
            report.created += 1
        elif target.changed:
            report.updated += 1
        else:
            report.unchanged += 1


def _write(rows: list[Row], *, embed: Embed) -> Merge:
    """Write one chunk and have its new texts embedded, in one transaction."""
    for attempt in range(1, _TRIES + 1):
        try:
            with transaction.atomic():
                merge = _write_once(rows)
                embed([target.business for target in merge.targets if target.is_new or target.text_changed])
            return merge
        except IntegrityError as error:
            # Somebody added a business with one of our external ids since we looked; the next look finds it.
            if attempt == _TRIES or not is_external_id_taken(error):
                raise
    raise AssertionError("unreachable")


def _write_once(rows: list[Row]) -> Merge:
    """Write one chunk in three statements, whatever the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN_LOCK])
    merge = Merge(_known(rows))
    for row in rows:
        merge.apply(row)
    written = [target.business for target in merge.targets if target.is_new or target.changed]
    Business.objects.bulk_create(
        written, update_conflicts=True, unique_fields=["id"], update_fields=[*COLUMNS, "updated_at"]
    )
    tell_written([business.pk for business in written])
    return merge


def _embed(businesses: Collection[Business], run: Run | None = None) -> None:
    """Have the texts of `businesses` embedded, after whatever is more urgent."""
    names = {business.pk: business.name for business in businesses}
    enqueue_many(
        GENERATE_EMBEDDING,
        list(names),
        operation=Operation.BULK,
        priority=Priority.LOW,
        extras=[{"original_name": name} for name in names.values()],
        run=run,
    )


def _known(rows: Iterable[Row]) -> Iterable[Business]:
    """Return the businesses that the rows may be about, locked, in one query."""
    external_ids = {row.values["external_id"] for row in rows if "external_id" in row.values}
    places = [row.values for row in rows if "external_id" not in row.values]
    wanted = Q(external_id__in=external_ids) & ~Q(external_id="")
    if places:
        wanted |= Q(name__in={at["name"] for at in places}, address__in={at["address"] for at in places})
    return Business.objects.filter(wanted).order_by("pk").select_for_update(no_key=True)
