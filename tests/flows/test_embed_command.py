"""`manage.py embed_businesses` as a person meets it: at a terminal, with Ctrl-C, with and without workers."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

from tests.flows.conftest import Start
from tests.flows.system import System
from tests.flows.terminal import Terminal
from tests.flows.trouble import Google, replace_worker
from tests.flows.waiting import until
from yellowbook.local.options import ROOT

pytestmark = pytest.mark.flow

#: So slow and so small that a run of some businesses can be interrupted.
BATCH = "10"


@pytest.fixture
def google(google: Google) -> Google:
    google.take(0.5)
    return google


def at_terminal(system: System, *arguments: str, columns: int = 100) -> Terminal:
    return Terminal(system.house.environment, "embed_businesses", *arguments, columns=columns)


def printed_command(screen: str, name: str) -> list[str]:
    """Return the command that the screen offers, in words."""
    found = re.findall(rf"{name} it +(.+)", screen)
    assert found, screen
    return shlex.split(found[-1].strip())


def run_as_printed(system: System, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run what was printed, as it was printed, from where the first command was run."""
    return subprocess.run(
        command, env=system.house.environment, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )


def run_state(system: System) -> str:
    ((state,),) = system.sql("SELECT state FROM jobs_run")
    return str(state)


def check_each_once(system: System, google: Google, number: int) -> None:
    texts = google.texts(system.mark)
    assert (len(texts), set(texts.values())) == (number, {1})
    assert system.without_fresh_vector() == 0


def test_at_a_terminal_it_follows_and_ctrl_c_and_yes_stop_the_run_that_the_printed_command_resumes(
    start: Start, google: Google
) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE=BATCH)
    system.plant(200)

    with at_terminal(system) as terminal:
        terminal.await_text("has begun: 200 businesses")
        terminal.await_text("left")
        system.until(lambda: system.jobs()["succeeded"], "something is embedded")
        terminal.press_ctrl_c()
        terminal.await_text("[y/N]")
        terminal.type("y\n")
        code = terminal.await_end()
        screen = terminal.screen

    assert code == 130
    system.until(lambda: run_state(system) == "stopped", "the run is stopped")
    google.take(0)
    resumed = run_as_printed(system, [*printed_command(screen, "Resume"), "--follow"])
    assert resumed.returncode == 0, resumed.stderr
    assert "100.00 %, 200 of 200" in resumed.stdout
    check_each_once(system, google, 200)


def test_ctrl_c_and_no_leave_the_run_to_the_workers(start: Start, google: Google) -> None:
    system = start(google)
    replace_worker(system, EMBEDDING_BATCH_SIZE=BATCH)
    system.plant(100)

    with at_terminal(system, columns=40) as terminal:
        terminal.await_text("left")
        terminal.press_ctrl_c()
        terminal.await_text("[y/N]")
        terminal.type("\n")
        assert terminal.await_end() == 130
        screen = terminal.screen

    assert "goes on in the background" in screen
    assert printed_command(screen, "Stop")[-1] == "--stop"
    google.take(0)
    followed = run_as_printed(system, printed_command(screen, "Follow"))
    assert followed.returncode == 0, followed.stderr
    check_each_once(system, google, 100)


def test_inline_and_interrupted_it_gives_back_what_it_holds_and_the_printed_command_does_the_rest(
    start: Start, google: Google
) -> None:
    system = start(google)
    (resident,) = system.workers
    system.kill(resident)
    system.sql("DELETE FROM jobs_workerprocess")
    system.plant(200)
    environment = {**system.house.environment, "EMBEDDING_BATCH_SIZE": BATCH}
    command = [sys.executable, "manage.py", "embed_businesses", "--inline", "--json"]

    process = subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        system.until(lambda: system.jobs()["succeeded"], "something is embedded")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == 130, err
    events = [json.loads(line) for line in out.splitlines()]
    assert (events[0]["event"], events[-1]["event"], events[-1]["state"]) == ("started", "interrupted", "stopped")
    assert system.sql("SELECT count(*) FROM jobs_lease") == [(0,)]
    assert system.jobs().keys() == {"succeeded", "cancelled"}
    google.take(0)
    resumed = run_as_printed(system, shlex.split(events[-1]["resume"]))
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout.splitlines()[-1])["exit_code"] == 0
    check_each_once(system, google, 200)


def test_killed_inline_its_run_is_taken_up_by_the_next_one(start: Start, google: Google) -> None:
    system = start(google)
    (resident,) = system.workers
    system.kill(resident)
    system.sql("DELETE FROM jobs_workerprocess")
    system.plant(100)
    environment = {**system.house.environment, "EMBEDDING_BATCH_SIZE": BATCH}

    process = subprocess.Popen(
        [sys.executable, "manage.py", "embed_businesses", "--inline"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        system.until(lambda: system.jobs()["succeeded"], "something is embedded")
    finally:
        process.kill()
        process.wait()
    google.take(0)
    refused = run_as_printed(system, [sys.executable, "manage.py", "embed_businesses", "--inline"])
    assert refused.returncode == 2
    resumed = run_as_printed(system, [sys.executable, "manage.py", "embed_businesses", "--resume", "--inline"])

    assert resumed.returncode == 0, resumed.stderr
    assert "100.00 %, 100 of 100" in resumed.stdout
    assert system.jobs() == {"succeeded": 100}


def test_a_reader_that_goes_away_is_no_error(start: Start) -> None:
    system = start()
    system.plant(50)
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "embed_businesses", "--inline", "--json"],
        env=system.house.environment,
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    try:
        until(lambda: process.poll() is not None, "the command ends")
        _, err = process.communicate()
    finally:
        process.kill()

    assert (process.returncode, err) == (141, "")
