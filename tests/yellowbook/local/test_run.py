"""`make run` from end to end, short of make: `python -m yellowbook.local run` as its own process."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.yellowbook.local.test_servers import wait_until_gone
from yellowbook.local.options import ROOT
from yellowbook.local.servers import RUN_FILE

#: Seconds for everything to be up, or gone, on a machine that is busy with other things.
DEADLINE = 100.0

Run = subprocess.Popen[str]

pytestmark = pytest.mark.timeout(600)


def begin(var_dir: Path) -> Run:
    ours = {"VAR_DIR": str(var_dir), "SAMPLE_DATA": "0"}
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "PORT", "WORKERS"}}
    command = [sys.executable, "-m", "yellowbook.local", "run"]
    return subprocess.Popen(command, cwd=ROOT, env=kept | ours, stdout=subprocess.PIPE, text=True)


def up(run: Run, var_dir: Path) -> dict[str, Any]:
    """Wait for the file that says that everything is there."""
    until = time.monotonic() + DEADLINE
    while True:
        if (var_dir / RUN_FILE).exists():
            found: dict[str, Any] = json.loads((var_dir / RUN_FILE).read_text())
            if found["pid"] == run.pid:
                return found
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < until, "not up in time"
        # `make run` tells by this file alone; `until` bounds the wait.
        time.sleep(0.1)


def answer(found: dict[str, Any], path: str) -> Any:
    request = urllib.request.Request(found["url"] + path, headers={"Authorization": f"Bearer {found['api_token']}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def family(run: Run) -> list[int]:
    """The pids of everything that was started, down to the last grandchild."""
    return [child.pid for child in psutil.Process(run.pid).children(recursive=True)]


def test_a_run_tells_how_to_use_it_recovers_from_a_kill_and_leaves_nothing_behind(var_dir):
    with begin(var_dir) as killed:
        try:
            first = up(killed, var_dir)
            pids = family(killed)
            assert answer(first, "/health/ready")["status"] == "ok"
            assert answer(first, "/api/admin/embeddings/stats")["total"] == 0
            assert first["url"].startswith("http://127.0.0.1:")
            assert stat.S_IMODE((var_dir / RUN_FILE).stat().st_mode) == 0o600
        finally:
            killed.kill()
    wait_until_gone(pids, DEADLINE)

    with begin(var_dir) as run:
        try:
            second = up(run, var_dir)
            pids = family(run)
            assert answer(second, "/api/admin/embeddings/stats")["total"] == 0
            kept = ("admin_user", "admin_password", "api_token")
            assert [second[name] for name in kept] == [first[name] for name in kept]

            with begin(var_dir) as refused:
                told, _ = refused.communicate(timeout=DEADLINE)
            assert refused.returncode == 1
            assert told.startswith(f"Already running here (pid {run.pid})")

            run.send_signal(signal.SIGINT)
            told, _ = run.communicate(timeout=DEADLINE)
        finally:
            run.kill()
    assert run.returncode == 0
    for fact in (second["url"], second["admin_password"], second["api_token"], str(var_dir / "logs")):
        assert fact in told
    wait_until_gone(pids, DEADLINE)
    assert not (var_dir / RUN_FILE).exists()
