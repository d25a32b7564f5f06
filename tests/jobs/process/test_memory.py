"""Measuring memory, and keeping within it."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs.process import memory as memory_module
from jobs.process.guard import HIGH, LOW, PATIENCE, MemoryGuard
from jobs.process.memory import MIB, Memory, _container, memory


def group(root: Path, path: str, limit: str, used: int, cache: int) -> None:
    """Make a control group of version 2."""
    at = root / path
    at.mkdir(parents=True, exist_ok=True)
    (at / "memory.max").write_text(f"{limit}\n")
    (at / "memory.current").write_text(f"{used}\n")
    (at / "memory.stat").write_text(f"anon 5\ninactive_file {cache}\nactive_file 7\n")


def membership(tmp_path: Path, text: str) -> Path:
    found = tmp_path / "membership"
    found.write_text(text)
    return found


def test_the_limit_that_is_set_counts_for_this_process_alone(settings: Any) -> None:
    settings.WORKER_MEMORY_LIMIT = 512
    found = memory()
    assert found.limit == 512 * MIB
    assert found.used == found.resident == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)


def test_without_any_limit_the_machine_is_the_limit(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WORKER_MEMORY_LIMIT = 0
    monkeypatch.setattr(memory_module, "_container", lambda root, own: None)
    found = memory()
    assert (found.limit, found.used) == (psutil.virtual_memory().total, found.resident)


def test_a_containers_memory_counts_without_the_file_cache_that_can_be_taken_back(tmp_path: Path) -> None:
    group(tmp_path, "app", "1000000", 400_000, 150_000)
    found = _container(tmp_path, membership(tmp_path, "0::/app\n"))
    assert found is not None
    assert (found.limit, found.working_set()) == (1_000_000, 250_000)


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    group(tmp_path, "outer", "500000", 100_000, 0)
    group(tmp_path, "outer/inner", "max", 90_000, 0)
    group(tmp_path, "outer/inner/leaf", "800000", 80_000, 0)
    found = _container(tmp_path, membership(tmp_path, "0::/outer/inner/leaf\n"))
    assert found is not None
    assert (found.limit, found.working_set()) == (500_000, 100_000)


def test_inside_a_container_its_own_root_counts(tmp_path: Path) -> None:
    """The path of the membership is the one seen from outside."""
    group(tmp_path, "", "700000", 100_000, 0)
    found = _container(tmp_path, membership(tmp_path, "0::/docker/abc\n"))
    assert found is not None
    assert found.limit == 700_000


def test_version_1_is_understood_too(tmp_path: Path) -> None:
    at = tmp_path / "memory" / "app"
    at.mkdir(parents=True)
    (at / "memory.limit_in_bytes").write_text("600000")
    (at / "memory.usage_in_bytes").write_text("300000")
    (at / "memory.stat").write_text("total_inactive_file 100000\n")
    found = _container(tmp_path, membership(tmp_path, "5:devices:/\n4:memory,hugetlb:/app\n"))
    assert found is not None
    assert (found.limit, found.working_set()) == (600_000, 200_000)


@pytest.mark.parametrize("limit", ["max", str(2**63 - 4096)])
def test_a_group_without_limit_is_none(tmp_path: Path, limit: str) -> None:
    group(tmp_path, "free", limit, 1, 0)
    assert _container(tmp_path, membership(tmp_path, "0::/free\n")) is None


class Meter:
    """Memory and time as a test wants them."""

    def __init__(self) -> None:
        self.share = 0.5
        self.seconds = 0.0

    def guard(self) -> MemoryGuard:
        return MemoryGuard(measure=self.measure, clock=lambda: self.seconds)

    def measure(self) -> Memory:
        used = int(self.share * 1000 * MIB)
        return Memory(used, used, 1000 * MIB)


@pytest.fixture
def meter() -> Meter:
    return Meter()


def test_nothing_is_claimed_over_the_high_mark_until_it_is_under_the_low_one(meter: Meter) -> None:
    guard = meter.guard()
    told = []
    for share in (0.5, HIGH, HIGH + 0.01, 0.8, LOW, LOW - 0.01, 0.8):
        meter.share = share
        guard.look()
        told.append(guard.holding)
    assert told == [False, False, True, True, True, False, False]


def test_garbage_is_collected_before_it_stops(meter: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    def collect() -> None:
        meter.share = 0.5

    monkeypatch.setattr("jobs.process.guard.collect", collect)
    guard = meter.guard()
    meter.share = 0.9
    guard.look()
    assert not guard.holding


def test_a_process_that_stays_over_it_gives_up_after_five_minutes(meter: Meter) -> None:
    guard = meter.guard()
    meter.share = 0.9
    guard.look()
    meter.seconds = PATIENCE
    guard.look()
    assert not guard.exhausted
    meter.seconds = PATIENCE + 1
    guard.look()
    assert guard.exhausted


def test_the_patience_starts_anew_each_time(meter: Meter) -> None:
    guard = meter.guard()
    for seconds, share in ((0, 0.9), (200, 0.5), (250, 0.9), (400, 0.9)):
        meter.seconds, meter.share = seconds, share
        guard.look()
    assert guard.holding
    assert not guard.exhausted


def test_a_claim_is_cut_to_what_fits_and_is_never_nothing(meter: Meter) -> None:
    guard = meter.guard()
    meter.share = 0.8
    assert guard.affordable(10 * MIB) == 5
    assert guard.affordable(MIB) == 50
    meter.share = 0.99
    assert guard.affordable(MIB) == 1
