"""`manage.py gemini_standin` as an operator starts it."""

import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def started(*options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The process, and what it printed until it served."""
    command = [sys.executable, "manage.py", "gemini_standin", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            printed = ""
            while "Ctrl-C" not in printed:
                line = process.stdout.readline()
                assert line, printed
                printed += line
            yield process, printed
        finally:
            process.kill()


def test_it_says_where_it_listens_serves_and_stops_at_ctrl_c() -> None:
    with started("--fault", "503:calls=1:retry_after=90", "--rpm", "15", "--key", "a-key") as (process, printed):
        found = re.search(r"^GEMINI_BASE_URL=(http://127\.0\.0\.1:\d+)$", printed, re.MULTILINE)
        assert found, printed
        assert "GEMINI_API_KEY=a-key" in printed
        with httpx2.Client(base_url=found[1], trust_env=False, headers={"x-goog-api-key": "a-key"}) as http:
            body = {"content": {"parts": [{"text": "text"}]}}
            path = "/v1beta/models/gemini-embedding-001:embedContent"
            first, second = (http.post(path, json=body) for _ in range(2))
            assert (first.status_code, second.status_code) == (503, 200)
            assert first.json()["error"]["details"][0]["retryDelay"] == "90s"
            assert http.get("/_standin/state").json()["quotas"]["rpm"] == 15
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
        assert "Stopped after 2 calls with 2 texts." in rest
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "no-such"], "^--fault no-such: fault 'no-such' is not one of"),
        (["--fault", "503:calls=many"], "^--fault 503:calls=many: "),
        (["--fault", "400:retry_after=90"], "^--fault 400:retry_after=90: "),
        (["--host", "203.0.113.1"], r"^203\.0\.113\.1:0 can't be listened on"),
    ],
)
def test_a_wrong_option_is_said_in_a_line(options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("gemini_standin", *options)
