"""No statement of ours relies on a session: behind PgBouncer in transaction mode, each transaction may have another."""

import re
from pathlib import Path

import pytest

from yellowbook.local.options import ROOT

#: What leaves something in a session, in SQL or in psycopg's words.
STATE = {
    "a setting": re.compile(r"\bSET (?!LOCAL\b|TRANSACTION\b)(?:SESSION )?\w+ *(?:=|TO\b)"),
    "a setting for the session": re.compile(r"set_config\([^)]*,\s*false\)"),
    "a temporary table": re.compile(r"CREATE TEMP(?:ORARY)? TABLE(?!.*?ON COMMIT DROP)", re.DOTALL),
    "a lock of the session": re.compile(r"pg_(?:try_)?advisory_lock"),
    "a listener": re.compile(r"\bLISTEN \w"),
    "a cursor that is held": re.compile(r"WITH HOLD|scrollable=|withhold="),
    "a prepared statement": re.compile(r"\bPREPARE \w|prepare=True|prepare_threshold="),
}
#: Files with connections of their own to PostgreSQL itself (`DATABASE_DIRECT_URL`).
DIRECT = {"embeddings/ann.py", "jobs/leadership.py"}
#: Other programs: they start and question servers of their own.
OTHERS = ("yellowbook/local/", "yellowbook/soak/", "yellowbook/benchmarks/")


def left_by(text: str) -> list[str]:
    """Return what the statements in a text leave behind."""
    return [what for what, pattern in STATE.items() if pattern.search(_without_updates(text))]


def _without_updates(text: str) -> str:
    """Return a text without the SET of UPDATE, ON CONFLICT and ALTER, which is no setting of a session."""
    return re.sub(r"(?:UPDATE|ALTER (?:TABLE|COLUMN|ROLE))\b[^\"';]*?\bSET\b", "", text)


def sources() -> list[Path]:
    found = [path for package in ("jobs", "embeddings", "yellowbook") for path in (ROOT / package).rglob("*.py")]
    return [path for path in found if not str(path.relative_to(ROOT)).startswith(OTHERS)]


def test_no_statement_leaves_anything_in_its_session() -> None:
    found = {
        str(path.relative_to(ROOT)): left
        for path in sources()
        if (left := left_by(path.read_text(encoding="utf-8"))) and str(path.relative_to(ROOT)) not in DIRECT
    }
    assert found == {}


@pytest.mark.parametrize("name", sorted(DIRECT))
def test_what_needs_a_session_asks_for_one_of_its_own(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert left_by(text)
    assert "DIRECT" in text


@pytest.mark.parametrize(
    "statement",
    [
        "SET statement_timeout = 5",
        "SET SESSION work_mem TO '1GB'",
        "SELECT set_config('work_mem', %s, false)",
        "CREATE TEMP TABLE x (y int) ON COMMIT DELETE ROWS",
        "CREATE TEMPORARY TABLE x (y int)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock(1)",
        "LISTEN jobs",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "PREPARE p AS SELECT 1",
    ],
)
def test_state_is_seen(statement: str) -> None:
    assert left_by(f'cursor.execute("{statement}")')


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL statement_timeout = 5",
        "SELECT set_config('work_mem', %s, true)",
        "CREATE TEMP TABLE x (y int) ON COMMIT DROP",
        "SELECT pg_advisory_xact_lock(1)",
        "UPDATE jobs_run SET state = 'failed'",
        "INSERT INTO x VALUES (1) ON CONFLICT (y) DO UPDATE SET y = excluded.y",
    ],
)
def test_what_ends_with_its_transaction_is_none(statement: str) -> None:
    assert not left_by(f'cursor.execute("{statement}")')
