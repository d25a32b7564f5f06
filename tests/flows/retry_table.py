"""Rows of the retry table, and what has to be true of a dead letter of each."""

from dataclasses import dataclass
from typing import Any

from tests.flows.system import System
from tests.flows.trouble import (
    letter,
)

PROVIDERS = ["gemini", "google-generativeai"]
#: Seconds that a delay may last longer than the table says: the stand-in's answer, the scheduler, a busy machine.
SLACK = 30.0
#: What a delay is stretched by at most.
JITTER = 1.3
#: Clocks of processes of one machine, and the time between an answer and its attempt's end.
CLOCK = 0.05


@dataclass(frozen=True)
class Row:
    """What a fault must lead to: its class, its HTTP status where there is one, words of its reason."""

    fault: str
    error_class: str
    status_code: int | None
    reason: str = ""


def check_letter(system: System, job_id: str, row: Row, attempts: int) -> dict[str, Any]:
    """Check a dead letter and the job behind it, as the API shows them."""
    dead, job = letter(system, job_id), system.api.job(job_id)
    said = f"{row.fault}: {dead}"
    assert (dead["error_class"], job["error_class"]) == (row.error_class, row.error_class), said
    if row.error_class != "bad_response":  # the status was 200, which some of these letters say and some do not
        assert dead["error_details"]["status_code"] == row.status_code, said
    assert row.reason in dead["failure_reason"], said
    assert dead["error_details"]["message"] == dead["failure_reason"], said
    assert dead["attempts"] == len(job["attempts"]) == attempts, said
    assert dead["payload"]["job_id"] == job_id, said
    assert dead["payload"]["business_id"] == job["business_id"], said
    assert (job["status"], job["result"], dead["resolved_at"], dead["resolution"]) == ("dead", "", None, ""), said
    assert dead["enqueued_at"] <= dead["last_attempt_at"] <= dead["created_at"], said
    assert "AIza" not in str(dead), said
    assert "AIza" not in str(job), said
    return dead
