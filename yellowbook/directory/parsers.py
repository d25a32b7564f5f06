"""Reads CSV and JSON lines as streams of records. A line that can't be read costs that line and nothing else."""

import csv
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

#: Bytes in one line of a file. A line beyond it is skipped without being kept.
LONGEST_LINE: Final = 512 * 1024
#: Lines that one CSV record may run over before its open quote counts as a mistake in its first line.
LONGEST_RECORD: Final = 300
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
    for line in _lines(stream):
        if line.problem:
            yield Record(line.number, problem=line.problem)
        elif line.text.strip():
            yield _json_record(line)


def read_csv(stream: BinaryIO) -> tuple[list[str], Iterator[Record]]:
    """Return the columns that the header names and the records under it; empty rows are skipped.

    Column names are lower-cased, with `_` for spaces and hyphens. Raises `UnreadableFile` without a usable header.
    """
    lines = _Lookahead(_lines(stream))
    header = lines.take()
    while header and not header.problem and not header.text.strip():
        header = lines.take()
    if header is None:
        raise UnreadableFile("The file is empty.")
    delimiter = max(DELIMITERS, key=header.text.count)
    cells, _ = _cells(header, _Lookahead(iter(())), delimiter)
    if header.problem or isinstance(cells, str):
        raise UnreadableFile(f"Line {header.number}, the header, can't be read: {header.problem or cells}")
    columns = [cell.strip().lower().replace(" ", "_").replace("-", "_") for cell in cells]
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise UnreadableFile(f"The header names a column twice: {', '.join(twice)}.")
    return columns, _csv_records(lines, columns, delimiter)


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
        values = json.loads(line.text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return Record(line.number, problem=f"The line is not JSON: {error.msg} at character {error.colno}.")
    except (ValueError, RecursionError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError) else str(error)
        return Record(line.number, problem=f"The line is not JSON that can be read: {reason}.")
    if not isinstance(values, dict):
        return Record(line.number, problem='The line is not a JSON object, as in {"name": "..."}.')
    return Record(line.number, values)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


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


def _csv_records(lines: _Lookahead, columns: list[str], delimiter: str) -> Iterator[Record]:
    while first := lines.take():
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
            continue
        elif len(cells) != len(columns):
            yield Record(first.number, problem=f"The row has {len(cells)} cells, the header {len(columns)}.")
        else:
            yield Record(first.number, dict(zip(columns, cells, strict=True)))


def _cells(first: _Line, lines: _Lookahead, delimiter: str) -> tuple[list[str] | str, list[_Line]]:
    """Split the record that begins with `first` into cells, or say why not; return also the further lines it takes."""
    further: list[_Line] = []

    def texts() -> Iterator[str]:
        yield first.text + "\n"
        while len(further) < LONGEST_RECORD and (line := lines.peek(len(further))):
            further.append(line)
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
