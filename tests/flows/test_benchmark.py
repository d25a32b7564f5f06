"""The benchmark as a person runs it, in small: servers, workers and a stand-in of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from yellowbook.benchmarks.measure import all_sections
from yellowbook.fleet.environment import clean_environment
from yellowbook.local.options import ROOT

#: Takes minutes however small it is: it waits for a provider's quota.
SLOW = "quota"


@pytest.mark.timeout(600)
def test_a_benchmark_in_small_says_and_draws_what_it_measured(tmp_path: Path) -> None:
    told, drawn = tmp_path / "figures.json", tmp_path / "figures.svg"
    sections = [section.name for section in all_sections() if section.name != SLOW]
    arguments = ["benchmark", *sections, "--scale", "0.01", "--json", str(told), "--chart", str(drawn)]
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(told.read_text())
    assert list(report["sections"]) == sections
    assert {"processor", "cores", "memory"} <= set(report["machine"])
    cost = {figure["name"]: figure["value"] for figure in report["sections"]["cost"]}
    assert cost["texts sent"] == 10 + 50 // 5
    core = report["sections"]["core"]
    assert all(figure["value"] > 0 for figure in core)
    assert drawn.read_text().count("<path") > len([figure for figure in core if figure["limit"]])
