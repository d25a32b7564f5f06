"""The embedded servers, for real: each test runs its own PostgreSQL and Valkey."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from yellowbook.local.account import REMEMBERED, data_directory, server_account
from yellowbook.local.discovery import NOT_RUNNING, SERVERS_FILE, find_servers
from yellowbook.local.errors import LocalError
from yellowbook.local.options import ROOT
from yellowbook.local.servers import EmbeddedServers
from yellowbook.local.throwaway import PREFIX, throwaway_servers
from yellowbook.local.wipe import wipe

#: Seconds until a process that was told to has to be gone.
DEADLINE = 30.0


def embedded(var_dir: Path) -> EmbeddedServers:
    return EmbeddedServers(var_dir, durable=False)


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServers]:
    """Servers that only have to be there."""
    with throwaway_servers() as servers:
        yield servers


def remember(servers: EmbeddedServers, word: str) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE words (word text)")
        connection.execute("INSERT INTO words VALUES (%s)", [word])
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("word", word)


def recall(servers: EmbeddedServers) -> tuple[object, object]:
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute("SELECT word FROM words").fetchone()
    with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
        return (row[0] if row else None), client.get("word")


def wait_until_gone(pids: list[int], deadline: float = DEADLINE) -> None:
    until = time.monotonic() + deadline
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < until, f"still there: {left}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_data_survive_a_restart(var_dir):
    with embedded(var_dir) as servers:
        remember(servers, "ном")
    with embedded(var_dir) as servers:
        assert recall(servers) == ("ном", "ном")


def test_two_directories_run_side_by_side(running, var_dir):
    with embedded(var_dir) as other:
        remember(running, "one")
        remember(other, "two")
        assert recall(running) == ("one", "one")
        assert recall(other) == ("two", "two")


def test_a_second_supervisor_of_one_directory_is_refused_with_the_pid_of_the_first(running):
    with pytest.raises(LocalError, match=rf"^Already running here \(pid {os.getpid()}\): [^\n]+$"):
        embedded(running.var_dir).start()
    assert find_servers(running.var_dir).database_url == running.database_url
    with psycopg.connect(running.database_url) as connection:
        connection.execute("SELECT 1")


def test_killed_servers_come_back_with_their_data(var_dir):
    # With its writes to disk: without them a killed server may lose what it was told last.
    with EmbeddedServers(var_dir) as servers:
        remember(servers, "kept")
        for server, child in list(servers.children.items()):
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            server.wait_ready(servers.restart(server))
        assert recall(servers) == ("kept", "kept")


def test_servers_die_with_a_killed_supervisor_and_the_next_one_recovers(var_dir):
    program = """
import sys, time
from pathlib import Path
from yellowbook.local.servers import EmbeddedServers
servers = EmbeddedServers(Path(sys.argv[1]), durable=False)
servers.start()
print(*(child.pid for child in servers.children.values()), flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program, var_dir], cwd=ROOT, stdout=subprocess.PIPE) as supervisor:
        try:
            assert supervisor.stdout is not None
            pids = [int(word) for word in supervisor.stdout.readline().split()]
            addresses = find_servers(var_dir)
            remember(EmbeddedServers(var_dir, **vars(addresses)), "kept")
        finally:
            supervisor.kill()
    assert len(pids) == 2
    with embedded(var_dir) as servers:
        assert not [pid for pid in pids if is_alive(pid)]
        assert recall(servers) == ("kept", "kept")
        assert servers.database_url != addresses.database_url
        assert addresses.database_url.partition("host=")[2].partition("&")[0] not in servers.database_url
    assert not Path(addresses.redis_url.removeprefix("unix://")).parent.exists()


def test_a_database_that_was_left_half_made_is_made_anew(var_dir):
    var_dir.mkdir()
    draft = data_directory(var_dir, server_account(var_dir)) / "postgres.draft-1"
    draft.mkdir()
    (draft / "half").touch()
    with embedded(var_dir) as servers:
        remember(servers, "whole")
        assert not draft.exists()


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(var_dir):
    with embedded(var_dir):
        pass
    with subprocess.Popen(["sleep", "600"], cwd="/") as stranger:
        try:
            (var_dir / "data" / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n")
            (var_dir / "data" / "valkey" / "valkey.pid").write_text(f"{stranger.pid}\n")
            with embedded(var_dir) as servers:
                remember(servers, "fine")
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_path_with_spaces_and_more_than_120_characters_works(place):
    directory = place / ("a long name with spaces, quotes ' and өү " * 3).strip() / "var dir"
    directory.parent.mkdir(mode=0o711)
    assert len(str(directory)) > 120
    with embedded(directory) as servers:
        remember(servers, "far")
        assert recall(servers) == ("far", "far")


def test_a_directory_that_only_its_owner_can_enter_works(place):
    # As root the servers run as another user, and their data have to go elsewhere.
    home = place / "home"
    home.mkdir(mode=0o700)
    var_dir = home / "var"
    try:
        with embedded(var_dir) as servers:
            remember(servers, "private")
        with embedded(var_dir) as servers:
            assert recall(servers) == ("private", "private")
        elsewhere = Path((var_dir / REMEMBERED).read_text()) if os.geteuid() == 0 else var_dir / "data"
        assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    finally:
        wipe(var_dir)
    assert not elsewhere.exists()


def test_stopping_leaves_no_process_no_socket_and_no_address(var_dir):
    servers = embedded(var_dir)
    servers.start()
    pids = [child.pid for child in servers.children.values()]
    sockets = Path(servers.redis_url.removeprefix("unix://")).parent
    assert stat.S_IMODE((var_dir / SERVERS_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    servers.stop()
    wait_until_gone(pids)
    assert not sockets.exists()
    assert not (var_dir / SERVERS_FILE).exists()


def test_no_server_is_started_for_one_that_the_user_brings(var_dir):
    with EmbeddedServers(var_dir, database_url="postgresql://db.example/yellowbook", durable=False) as servers:
        assert [server.name for server in servers.children] == ["Valkey"]
        assert find_servers(var_dir).database_url == "postgresql://db.example/yellowbook"


def test_the_database_has_pgvector_and_its_owner_is_no_superuser(running):
    with psycopg.connect(running.database_url) as connection:
        row = connection.execute(
            "SELECT '[1,2]'::vector::text, current_user, current_setting('is_superuser'), "
            "current_setting('server_encoding'), lower('ӨҮ')"
        ).fetchone()
    assert row == ("[1,2]", "yellowbook", "off", "UTF8", "өү")


def test_with_nothing_running_the_address_says_what_to_do(place):
    found = find_servers(place)
    assert NOT_RUNNING in found.database_url
    assert NOT_RUNNING in found.redis_url


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"sockets": "/tmp/x"}'])
def test_a_broken_file_of_addresses_counts_as_nothing_running(place, content):
    (place / SERVERS_FILE).write_text(content)
    assert NOT_RUNNING in find_servers(place).database_url


def test_what_a_killed_test_run_left_behind_is_removed_by_the_next_one(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    elsewhere = ("postgresql://db.example/x", "redis://cache.example")
    abandoned, fresh = place / f"{PREFIX}abandoned", place / f"{PREFIX}fresh"
    with throwaway_servers(*elsewhere) as held:
        for directory in (abandoned, fresh):
            (directory / "data").mkdir(parents=True)
        for directory in (abandoned, held.var_dir):
            os.utime(directory, (0, 0))
        with throwaway_servers(*elsewhere):
            assert not abandoned.exists()
            assert fresh.exists()
            assert held.var_dir.exists()
    assert not held.var_dir.exists()
