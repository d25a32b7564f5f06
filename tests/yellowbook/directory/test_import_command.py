import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db

HEADER = "name,category,address,email\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "businesses.csv"
    path.write_text(HEADER + "Номин,Ресторан,Гудамж 1,\nNomin,Hotel,Street 2,\n", encoding="utf-8")
    return path


def run(*args: Any, **options: Any) -> tuple[str, str, int]:
    """Run the command; return what it said on both streams, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_businesses", *map(str, args), stdout=out, stderr=err, no_color=True, **options)
    except SystemExit as left:
        return out.getvalue(), err.getvalue(), int(left.code or 0)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


def test_it_imports_a_file_and_tells_the_counts(file: Path) -> None:
    out, err, code = run(file)

    assert code == 0
    assert "created" in out
    assert "2" in out
    assert err == ""
    assert Business.objects.count() == 2


def test_rejected_rows_are_told_and_change_the_exit_code(file: Path, tmp_path: Path) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write('Bad,Hotel,Street 3,nope\n"Broken,Hotel,Street 4,\n')

    _out, err, code = run(file, "--rejects", tmp_path / "rejects.jsonl")

    assert code == 1
    assert err.splitlines() == [
        "Line 4: email: Enter a valid email address.",
        "Line 5: The line is not CSV: a quote is opened and not closed.",
    ]
    assert Business.objects.count() == 2
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rejects[0] == {"row": 4, "errors": {"email": ["Enter a valid email address."]}}


def test_of_many_rejected_rows_the_first_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(HEADER + ",,,\n,x,,\n" + ",Hotel,Street,\n" * 30, encoding="utf-8")

    _out, err, code = run(file)

    assert code == 1
    assert err.count("Line ") == 20
    assert "... and 11 more: --rejects FILE writes them all." in err


def test_a_dry_run_writes_nothing(file: Path) -> None:
    out, _err, code = run(file, "--dry-run")

    assert code == 0
    assert "What would happen" in out
    assert not Business.objects.exists()


def test_json_lines_are_known_by_their_ending_or_named(tmp_path: Path) -> None:
    line = json.dumps({"name": "a", "category": "b", "address": "c"})
    known, unknown = tmp_path / "a.jsonl", tmp_path / "a.txt"
    known.write_text(line)
    unknown.write_text(line)

    assert run(known)[2] == 0
    assert run(unknown) == ("", "Can't tell what a.txt holds: give --format.", 2)
    assert run(unknown, "--format", "jsonl")[2] == 0


def test_columns_that_mean_nothing_are_told(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name,category,address,adress\na,b,c,d\n")

    assert "Columns that mean nothing here: 'adress'." in run(file)[0]


def test_what_can_not_be_read_is_said_with_exit_code_2(tmp_path: Path) -> None:
    header = tmp_path / "a.csv"
    header.write_text("a,b\n")

    missing = tmp_path / "missing.csv"
    assert run(missing) == ("", f"Can't open {missing}: No such file or directory.", 2)
    assert run(tmp_path, "--format", "csv") == ("", f"Can't open {tmp_path}: Is a directory.", 2)
    _out, message, code = run(header)
    assert (code, "external_id, or name and address" in message) == (2, True)


def test_a_file_for_rejects_that_can_not_be_written_stops_the_import_before_it_begins(
    file: Path, tmp_path: Path
) -> None:
    assert run(file, "--rejects", tmp_path)[2] == 2
    assert not Business.objects.exists()


def test_the_sample_is_good_and_can_be_imported_twice() -> None:
    assert run("--sample")[1:] == ("", 0)
    count = Business.objects.count()
    assert count >= 200

    assert run("--sample")[2] == 0
    assert Business.objects.count() == count
