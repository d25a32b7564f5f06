"""The script that makes `.venv`, with stand-ins for the machine's programs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from yellowbook.local.options import ROOT

SCRIPT = ROOT / "yellowbook" / "local" / "environment.sh"
#: What the script needs of a system besides Python.
TOOLS = ("sh", "printf")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A directory that is the whole `PATH`, with a shell and nothing else."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (programs / tool).symlink_to(found)
    return programs


def install(machine: Path, name: str, script: str) -> None:
    program = machine / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def run(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), "requirements.lock"],
        cwd=machine.parent,
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_python_is_told_what_to_install(machine):
    done = run(machine)
    assert done.returncode == 1
    assert "No Python of version 3.11 or later was found" in done.stderr


def test_a_python_that_can_not_make_environments_is_named(machine):
    install(machine, "python3", 'case "$*" in *ensurepip*) exit 1;; esac')
    done = run(machine)
    assert done.returncode == 1
    assert "python3 can't make an environment" in done.stderr


def test_a_shim_that_fails_is_passed_over_for_one_that_runs(machine):
    install(machine, "python3", "echo 'pyenv: python3: command not found' >&2; exit 127")
    install(machine, "python3.12", f'case "$1" in -c) echo chosen ;; esac; echo "$*" >> {machine.parent}/calls')
    done = run(machine)
    assert done.returncode != 0
    assert "chosen" in done.stderr


def test_uv_is_used_where_it_is(machine):
    install(machine, "python3", f"echo {os.path.realpath('/bin/true')}")
    install(machine, "uv", f'echo "$*" >> {machine.parent}/calls')
    done = run(machine)
    assert done.returncode == 0, done.stderr
    calls = (machine.parent / "calls").read_text().splitlines()
    assert calls[0].startswith("venv --quiet --clear --python ")
    assert calls[1].endswith("--require-hashes -r requirements.lock")
