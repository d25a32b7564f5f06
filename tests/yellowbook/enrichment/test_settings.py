"""`ENRICHMENT` and `ENRICHMENT_PROMPT`: what they are by themselves, and what stops the start."""

import os
import subprocess
import sys

import pytest

_SAY = "from yellowbook import settings; print(settings.ENRICHMENT, settings.ENRICHMENT_PROMPT)"


def started(**variables: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of its own."""
    left_out = {"ENRICHMENT", "ENRICHMENT_PROMPT", "GEMINI_API_KEY"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out} | variables
    return subprocess.run(
        [sys.executable, "-c", _SAY], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "rules enrichment-2"),
        ({"GEMINI_API_KEY": "k" * 30}, "gemini enrichment-2"),
        ({"GEMINI_API_KEY": "k" * 30, "ENRICHMENT": "off", "ENRICHMENT_PROMPT": "enrichment-1"}, "off enrichment-1"),
    ],
)
def test_a_key_decides_unless_somebody_does(variables: dict[str, str], expected: str) -> None:
    assert started(**variables).stdout.strip() == expected


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ENRICHMENT": "gemini"}, "needs GEMINI_API_KEY"),
        ({"ENRICHMENT": "magic"}, "expected one of gemini, off, rules"),
        ({"ENRICHMENT_PROMPT": "enrichment-0"}, "expected one of enrichment-1, enrichment-2"),
    ],
)
def test_what_can_not_be_stops_the_start_and_says_what_was_expected(variables: dict[str, str], told: str) -> None:
    done = started(**variables)
    assert done.returncode
    assert told in done.stderr
