"""Reads CSV and JSON lines as streams of records. A line that can't be read costs that line and nothing else."""

import csv
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from jobs.strict_json import read_json

#: Bytes in one line of a file. A line beyond it is skipped without being kept.
LONGEST_LINE: Final = 512 * 1024
#: Lines that one CSV record may run over before its open quote counts as a mistake in its first line.
LONGEST_RECORD: Final = 300
#: Characters of those lines: well over the longest description. Without it, a file whose every line opens a quote would
#: be read a hundred times over.
LARGEST_RECORD: Final = 64 * 1024
#: Columns that a header may name; the rules know some fourteen.
MOST_COLUMNS: Final = 500
#: Empty rows in a file before it is refused. Spreadsheets leave up to 1,048,576 of them below a table.
MOST_EMPTY_ROWS: Final = 1_100_000
#: What separates cells; the one that the header has most of is taken.
DELIMITERS: Final = ",;\t"

_OPEN_QUOTE: Final = "a quote is opened and not closed"
_BOM: Final = b"\xef\xbb\xbf"


class UnreadableFile(ValueError):
    """The file as a whole can't be imported; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file: the number of the line that it begins on, and its values by column, or why it has none."""

    line: int
    values: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    problem: str = ""


def read_jsonl(stream: BinaryIO) -> Iterator[Record]:
    """Yield one record per line that holds a JSON object; blank lines are skipped."""
    empty = _EmptyRows()
    for line in _lines(stream):
        if line.problem:
            yield Record(line.number, problem=line.problem)
        elif line.text.strip():
            yield _json_record(line)
        else:
            empty.count()


def read_csv(stream: BinaryIO) -> tuple[list[str], Iterator[Record]]:
    """Return the columns that the header names and the records under it; empty rows are skipped.

    Column names are lower-cased, with `_` for spaces and hyphens. Raises `UnreadableFile` without a usable header.
    """
    lines = _Lookahead(_lines(stream))
    empty = _EmptyRows()
    header = lines.take()
    while header and not header.problem and not header.text.strip():
        empty.count()
        header = lines.take()
    if header is None:
        raise UnreadableFile("The file is empty.")
    delimiter = max(DELIMITERS, key=header.text.count)
    cells, _ = _cells(header, _Lookahead(iter(())), delimiter)
    if header.problem or isinstance(cells, str):
        raise UnreadableFile(f"Line {header.number}, the header, can't be read: {header.problem or cells}")
    columns = [cell.strip().lower().replace(" ", "_").replace("-", "_") for cell in cells]
    if len(columns) > MOST_COLUMNS:
        raise UnreadableFile(f"The header names {len(columns):,} columns: give {MOST_COLUMNS} at most.")
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise UnreadableFile(f"The header names a column twice: {', '.join(twice)}.")
    return columns, _csv_records(lines, columns, delimiter, empty)


def _lines(stream: BinaryIO) -> Iterator[_Line]:
    """Yield the numbered lines of a file, decoded, without their line ends."""
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while not raw.endswith(b"\n") and (raw := stream.readline(LONGEST_LINE)):
                pass
            yield _Line(number, "", f"The line is longer than {LONGEST_LINE // 1024} KiB.")
            continue
        raw = raw.removeprefix(_BOM).rstrip(b"\r\n") if number == 1 else raw.rstrip(b"\r\n")
        try:
            yield _Line(number, raw.decode())
        except UnicodeDecodeError as error:
            yield _Line(number, raw.decode(errors="replace"), f"Byte {error.start + 1} of the line is not UTF-8.")


def _json_record(line: _Line) -> Record:
    try:
        values = read_json(line.text)
    except json.JSONDecodeError as error:
        return Record(line.number, problem=f"The line is not JSON: {error.msg} at character {error.colno}.")
    except ValueError as error:
        return Record(line.number, problem=f"The line is not JSON that can be read: {error}.")
    if not isinstance(values, dict):
        return Record(line.number, problem='The line is not a JSON object, as in {"name": "..."}.')
    return Record(line.number, values)


class _EmptyRows:
    """Counts the rows that are skipped, since they cost time and nothing else bounds them."""

    def __init__(self) -> None:
        self._rows = 0

    def count(self) -> None:
        """Count one more; raises `UnreadableFile` when there are too many."""
        self._rows += 1
        if self._rows > MOST_EMPTY_ROWS:
            raise UnreadableFile(f"The file has more than {MOST_EMPTY_ROWS:,} empty rows.")


class _Lookahead:
    """Lines that can be looked at before they are taken, and left where they are."""

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self._seen: deque[_Line] = deque()

    def take(self) -> _Line | None:
        """Return the next line and move on; None at the end."""
        return self._seen.popleft() if self._seen else next(self._lines, None)

    def peek(self, ahead: int) -> _Line | None:
        """Return the line `ahead` lines on (0 is the next) without moving; None past the end."""
        while len(self._seen) <= ahead:
            line = next(self._lines, None)
            if line is None:
                return None
            self._seen.append(line)
        return self._seen[ahead]


def _csv_records(lines: _Lookahead, columns: list[str], delimiter: str, empty: "_EmptyRows") -> Iterator[Record]:
    while first := lines.take():
        if not first.problem and not first.text.replace(delimiter, "").strip():
            empty.count()
            continue
        cells, further = _cells(first, lines, delimiter)
        if further and (isinstance(cells, str) or len(cells) != len(columns)):
            # The quote was opened by mistake: the lines that it would swallow are read for themselves.
            cells, further = _OPEN_QUOTE, []
        for _ in further:
            lines.take()
        problem = next((line.problem for line in (first, *further) if line.problem), "")
        if problem or isinstance(cells, str):
            yield Record(first.number, problem=problem or f"The line is not CSV: {cells}.")
        elif not any(cell and not cell.isspace() for cell in cells):
            empty.count()
        elif len(cells) != len(columns):
            yield Record(first.number, problem=f"The row has {len(cells)} cells, the header {len(columns)}.")
        else:
            yield Record(first.number, dict(zip(columns, cells, strict=True)))


def _cells(first: _Line, lines: _Lookahead, delimiter: str) -> tuple[list[str] | str, list[_Line]]:
    """Split the record that begins with `first` into cells, or say why not; return also the further lines it takes."""
    further: list[_Line] = []

    def texts() -> Iterator[str]:
        yield first.text + "\n"
        room = LARGEST_RECORD - len(first.text)
        while room > 0 and len(further) < LONGEST_RECORD and (line := lines.peek(len(further))):
            further.append(line)
            room -= len(line.text)
            yield line.text + "\n"

    try:
        return next(csv.reader(texts(), delimiter=delimiter, strict=True)), further
    except csv.Error as error:
        return _plainly(str(error)), further


def _plainly(message: str) -> str:
    """Put what the csv module says into words that help."""
    if message == "unexpected end of data":
        return _OPEN_QUOTE
    if "expected after" in message:
        return "there is text between a closing quote and the end of its cell"
    return message
