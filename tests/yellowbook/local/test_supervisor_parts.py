import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from yellowbook.local.errors import LocalError
from yellowbook.local.files import write_private_json
from yellowbook.local.lock import VarDirLock, is_held
from yellowbook.local.options import ROOT, read_options
from yellowbook.local.port import HOST, ReservedPort
from yellowbook.local.process import start
from yellowbook.local.service import Service


def no_time(_seconds: float) -> None:
    raise TimeoutError


def test_a_reserved_port_is_closed_to_others_and_open_to_the_web_server():
    port = ReservedPort()
    try:
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                stranger.bind((HOST, port.number))
        with socket.socket() as granian, socket.socket() as visitor:
            granian.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            granian.bind((HOST, port.number))
            granian.listen()
            visitor.connect((HOST, port.number))
            accepted, _address = granian.accept()
            accepted.close()
    finally:
        port.release()


def test_two_reservations_never_get_the_same_port():
    first, second = ReservedPort(), ReservedPort()
    try:
        assert first.number != second.number
        with pytest.raises(TimeoutError):
            ReservedPort(first.number, no_time)
    finally:
        first.release()
        second.release()


def test_a_service_that_ends_is_started_again_less_and_less_eagerly(place):
    now = 0.0

    def begin():
        child = start("It", ["/bin/sh", "-c", "exit 3"], log=place / "log", environment={}, directory=place)
        child.wait()
        return child

    service = Service(begin(), begin, clock=lambda: now)
    told = []
    for _ in range(200):
        line = service.tend()
        if line:
            told.append((now, line.rpartition("in ")[2]))
        now += 0.5
    assert [delay for _, delay in told[:7]] == ["1 s.", "2 s.", "4 s.", "8 s.", "16 s.", "30 s.", "30 s."]


def test_a_service_that_ran_for_long_is_started_again_soon(place):
    now = 0.0

    def begin():
        child = start("It", ["/bin/true"], log=place / "log", environment={}, directory=place)
        child.wait()
        return child

    service = Service(begin(), begin, clock=lambda: now)
    told = []
    for moment in (0.0, 1.0, 1.5, 3.5, 3.5 + 61):
        now = moment
        told.append(service.tend() or "")
    assert [line.rpartition("in ")[2] for line in told] == ["1 s.", "", "2 s.", "", "1 s."]


def test_a_holder_that_is_stopping_is_waited_for(place):
    first, second = VarDirLock(place), VarDirLock(place)
    first.acquire()
    with pytest.raises(LocalError, match="Already running"):
        second.acquire(no_time)
    first.stopping()
    second.acquire(lambda _seconds: first.release())
    assert is_held(place)
    second.release()
    assert not is_held(place)


def test_a_file_of_secrets_can_be_read_by_its_owner_only(place):
    write_private_json(place / "run.json", {"api_token": "x"})
    assert (place / "run.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place.iterdir()] == ["run.json"]


def test_options_have_the_documented_defaults():
    options = read_options({})
    assert options.var_dir == ROOT / "var"
    assert (options.port, options.workers) == (0, 1)
    assert (options.database_url, options.redis_url) == ("", "")


def test_a_redis_server_may_be_given_in_parts():
    source = {"REDIS_HOST": "cache.example", "REDIS_PASSWORD": "p@ss/word"}
    assert read_options(source).redis_url == "redis://:p%40ss%2Fword@cache.example:6379/0"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "http"), ("PORT", "65536"), ("WORKERS", "0"), ("SAMPLE_DATA", "maybe")]
)
def test_a_wrong_option_is_named_with_its_value(name, value):
    with pytest.raises(ImproperlyConfigured, match=rf"{name}='{value}'"):
        read_options({name: value})


def test_a_command_runs_with_the_servers_that_are_missing_and_gives_its_exit_code():
    environment = {k: v for k, v in os.environ.items() if k not in {"REDIS_URL", "VAR_DIR"}}
    script = 'test -S "${REDIS_URL#unix://}" && echo "$VAR_DIR $DATABASE_URL"; exit 5'
    done = subprocess.run(
        [sys.executable, "-m", "yellowbook.local", "exec", "--", "sh", "-c", script],
        cwd=ROOT,
        env=environment | {"DATABASE_URL": "postgresql://db.example/yellowbook"},
        capture_output=True,
        text=True,
        check=False,
    )
    var_dir, _, database_url = done.stdout.strip().partition(" ")
    assert (done.returncode, done.stderr) == (5, "")
    assert database_url == "postgresql://db.example/yellowbook"
    assert not Path(var_dir).exists()
