"""The benchmark as a person runs it, in small: servers, workers and a stand-in of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from yellowbook.fleet.environment import clean_environment
from yellowbook.local.options import ROOT

#: One with workers, one with a stand-in besides, one with neither.
SECTIONS = ["core", "cost", "saves"]


@pytest.mark.flow
@pytest.mark.timeout(300)
def test_a_benchmark_in_small_says_and_draws_what_it_measured(tmp_path: Path) -> None:
    told, drawn = tmp_path / "figures.json", tmp_path / "figures.svg"
    arguments = ["benchmark", *SECTIONS, "--scale", "0.01", "--json", str(told), "--chart", str(drawn)]
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(told.read_text())
    assert list(report["sections"]) == SECTIONS
    assert {"processor", "cores", "memory"} <= set(report["machine"])
    cost = {figure["name"]: figure["value"] for figure in report["sections"]["cost"]}
    assert cost["texts sent"] == 10 + 10, "ten new ones, and each of them changed once in fifty updates"
    core = report["sections"]["core"]
    assert all(figure["value"] > 0 for figure in core)
    assert drawn.read_text().count("<path") > len([figure for figure in core if figure["limit"]])
