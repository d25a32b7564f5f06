import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.yellowbook.local.test_servers import is_alive, wait_until_gone
from yellowbook.local.errors import LocalError
from yellowbook.local.options import ROOT
from yellowbook.local.process import Child, start

#: Says when it is ready to be told, starts a grandchild and names both; does not obey SIGTERM.
STUBBORN = "trap '' TERM; sleep 600 & echo $! ; wait; sleep 600"


def shell(script: str, place: Path) -> Child:
    environment = {"PATH": os.environ["PATH"]}
    return start("The shell", ["/bin/sh", "-c", script], log=place / "log", environment=environment, directory=place)


def first_word(log: Path) -> str:
    until = time.monotonic() + 30
    while not log.exists() or not log.read_text().endswith("\n"):
        assert time.monotonic() < until, "nothing was written"
        # A shell tells nobody that it has written; `until` bounds the wait.
        time.sleep(0.02)
    return log.read_text().split()[0]


def test_a_child_that_obeys_is_stopped_by_its_signal(place):
    child = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done", place)
    first_word(child.log)
    child.stop(signal.SIGTERM, grace=30)
    assert child.poll() == 7


def test_a_child_that_does_not_obey_is_killed_with_its_own_children(place):
    child = shell(STUBBORN, place)
    grandchild = int(first_word(child.log))
    child.stop(signal.SIGTERM, grace=0.1)
    assert child.poll() == -signal.SIGKILL
    wait_until_gone([grandchild])


def test_somebody_in_a_hurry_does_not_wait_for_the_grace(place):
    child = shell(STUBBORN, place)
    first_word(child.log)
    child.stop(signal.SIGTERM, grace=3600, hurried=lambda: True)
    assert child.poll() == -signal.SIGKILL


def test_what_a_child_leaves_behind_is_killed_once_it_has_ended(place):
    child = shell("sleep 600 & echo $!", place)
    orphan = int(first_word(child.log))
    child.wait()
    wait_until_gone([orphan])


def test_a_child_dies_with_its_parent(place):
    # It sleeps for longer than anybody waits: only its parent's death ends the child in time.
    program = """
import sys, time
from pathlib import Path
from yellowbook.local.process import start
place = Path(sys.argv[1])
print(start("sleep", ["sleep", "600"], log=place / "log", environment={"PATH": "/usr/bin:/bin"}, directory=place).pid,
      flush=True)
# Until it is killed.
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program, place], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_until_gone([pid])


def test_only_the_main_thread_starts_children(place):
    errors = []

    def attempt() -> None:
        try:
            shell("true", place)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_a_program_that_is_not_there_is_a_clear_error(place):
    with pytest.raises(LocalError, match=r"^It could not be started: .*no-such-program"):
        start("It", [place / "no-such-program"], log=place / "log", environment={}, directory=place)


def test_a_failure_is_told_with_the_end_of_the_log(place):
    child = shell("seq 1 100; echo 'it broke' >&2; exit 3", place)
    child.wait()
    told = child.failure().splitlines()
    assert told[0] == "The shell ended with exit code 3."
    assert told[-2:] == ["  it broke", f"The whole log: {place / 'log'}"]
    assert "  50" not in told
