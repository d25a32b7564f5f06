"""The soak from its beginning to its verdict."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import psutil
import psycopg

from yellowbook.fleet.waiting import until
from yellowbook.soak.check import findings, unfinished
from yellowbook.soak.faults import Faults
from yellowbook.soak.rig import Rig

#: Seconds between two looks at what is due, between two rounds of the operator, and between two lines of progress.
TICK, ROUND, PROGRESS = 0.1, 2.0, 15.0
#: Seconds that everything may take to be over once nothing breaks any more.
SETTLED_WITHIN = 240.0
#: Memory counts as flat when its median in the last quarter is no more than this over that in the second: a share, and
#: MiB at the least.
GROWTH, ROOM = 0.10, 15.0
MIB = 2**20

#: An impatient operator: nobody waits out a rate limit's minute.
_NO_WAITING = """
UPDATE jobs_lane SET closed_until = NULL WHERE closed_until > now();
UPDATE jobs_jobexecution SET next_attempt_at = now()
 WHERE status = 'retrying' AND next_attempt_at > now() + interval '8 seconds';
"""


@dataclass
class Report:
    """What a soak came to. Memory in MiB, times in seconds."""

    seed: int
    minutes: float
    workers: int
    findings: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    results: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)
    businesses: int = 0
    acknowledged: int = 0
    most_unfinished: int = 0
    embedded: int = 0
    embedded_again: int = 0
    in_flight: int = 0
    settled_after: float = 0.0
    memory: list[dict[str, Any]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything is as it must be."""
        return not self.findings

    def described(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"holds": self.holds, **asdict(self)}


class Soak:
    """One run; `say` is told how it goes."""

    def __init__(self, rig: Rig, faults: Faults, report: Report, say: Callable[[str], None]) -> None:
        self._rig = rig
        self._faults = faults
        self._report = report
        self._say = say
        self._began = time.monotonic()
        self._rounds = 0.0
        self._told = 0.0
        #: Resident memory of each worker process: when, and how much.
        self._memory: dict[int, list[tuple[float, float]]] = {}

    def run(self) -> Report:
        """Break things for so many minutes, let everything settle, and look."""
        self._begin()
        end = self._began + self._report.minutes * 60
        while time.monotonic() < end:
            broken = self._broken()
            if broken:
                self._say(f"{self._clock()}  {broken}")
            self._make_rounds()
            if failure := self._rig.editor_failure():
                self._report.findings.append(failure)
                break
            time.sleep(TICK)
        measured = time.monotonic()
        self._say(f"{self._clock()}  nothing breaks any more")
        ledger = self._rig.stop_editor() if not self._report.findings else {}
        self._rig.heal_provider()
        self._settle()
        self._judge(ledger, measured)
        return self._report

    def _begin(self) -> None:
        """Let everything work once before anything breaks."""

        def works() -> bool:
            self._faults.heal()
            self._rig.read_calls()
            return bool(self._rig.embedded) and all(self._rig.in_hand(slot.pids()) for slot in self._rig.slots)

        until(works, "every worker has work in hand")
        self._began = time.monotonic()
        self._faults.begin()

    def _broken(self) -> str:
        """Have the faults their turn; the database may be away for a moment."""
        try:
            return self._faults.tick()
        except psycopg.OperationalError:
            return ""

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes:3}:{seconds:02}"

    def _make_rounds(self) -> None:
        """Look after what an operator does, measure, and tell how it goes."""
        if time.monotonic() < self._rounds:
            return
        self._rounds = time.monotonic() + ROUND
        self._rig.read_calls()
        self._measure()
        try:
            for statement in _NO_WAITING.split(";")[:2]:
                self._rig.sql(statement)
            waiting = unfinished(self._rig.sql)
        except psycopg.Error:
            return
        self._report.most_unfinished = max(self._report.most_unfinished, waiting)
        if time.monotonic() >= self._told:
            self._told = time.monotonic() + PROGRESS
            done = self._rig.embedded.total()
            again = done - len(self._rig.embedded)
            self._say(
                f"{self._clock()}  {waiting} jobs wait or run; {done} texts embedded, {again} of them again,"
                f" {self._faults.in_flight} were in flight when something broke"
            )

    def _measure(self) -> None:
        for slot in self._rig.slots:
            for pid in slot.pids():
                try:
                    used = psutil.Process(pid).memory_info().rss / MIB
                except psutil.Error:
                    continue
                self._memory.setdefault(pid, []).append((time.monotonic(), used))

    def _settle(self) -> None:
        """Wait until nothing is broken, waits or runs any more."""
        began = time.monotonic()
        while time.monotonic() < began + SETTLED_WITHIN:
            self._make_rounds()
            if self._faults.heal() and not unfinished(self._rig.sql):
                break
            time.sleep(TICK)
        self._report.settled_after = round(time.monotonic() - began, 1)

    def _judge(self, ledger: dict[str, str | None], measured: float) -> None:
        rig, faults, report = self._rig, self._faults, self._report
        rig.read_calls()
        ((failed,),) = rig.sql("SELECT count(*) FROM jobs_attempt WHERE error_class = 'network'")
        report.in_flight = faults.in_flight + max(0, int(failed) - rig.cut_texts)
        report.findings += faults.failures
        report.findings += findings(rig.sql, rig.embedded, in_flight=report.in_flight)
        report.findings += _forgotten(ledger, rig)
        report.findings += self._swollen(measured)
        report.faults, report.calls = dict(faults.happened), dict(rig.calls)
        report.jobs = _counted(rig, "SELECT status, count(*) FROM jobs_jobexecution GROUP BY 1")
        report.results = _counted(
            rig, "SELECT result, count(*) FROM jobs_jobexecution WHERE status = 'succeeded' GROUP BY 1"
        )
        report.dead_letters = _counted(rig, "SELECT error_class, count(*) FROM jobs_deadletter GROUP BY 1")
        ((report.businesses,),) = rig.sql("SELECT count(*) FROM directory_business")
        report.acknowledged = len(ledger)
        report.embedded = rig.embedded.total()
        report.embedded_again = report.embedded - len(rig.embedded)

    def _swollen(self, measured: float) -> list[str]:
        """Compare the memory of workers that lived through most of the soak; tell of those that grew."""
        quarter = (measured - self._began) / 4
        grown = []
        for pid, samples in self._memory.items():
            early = [used for at, used in samples if quarter <= at - self._began < 2 * quarter]
            late = [used for at, used in samples if 3 * quarter <= at - self._began < 4 * quarter]
            # One that started in the second quarter was still loading then.
            if not early or not late or samples[0][0] - self._began > quarter / 2:
                continue
            first, last = median(early), median(late)
            told = {"pid": pid, "early": round(first, 1), "late": round(last, 1), "most": round(max(late), 1)}
            self._report.memory.append(told)
            if last > first + max(ROOM, GROWTH * first):
                grown.append(f"the memory of worker {pid} grew from {first:.0f} to {last:.0f} MiB")
        return grown


def _forgotten(ledger: dict[str, str | None], rig: Rig) -> list[str]:
    """Saves that the editors were told had succeeded, and that are not there."""
    stored = dict(rig.sql("SELECT id::text, description FROM directory_business"))
    lost = [business_id for business_id, text in ledger.items() if stored.get(business_id) != text]
    return [f"{len(lost)} acknowledged saves are lost, beginning with {lost[0]}"] if lost else []


def _counted(rig: Rig, question: str) -> dict[str, int]:
    return dict(Counter(dict(rig.sql(question))).most_common())
