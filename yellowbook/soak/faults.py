"""What happens in a soak, and when: everything is drawn from one seed."""

import heapq
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import count

import psycopg
from redis import RedisError

from yellowbook.soak.rig import LEASE, Rig, Slot

#: Shortest and longest time between two faults, in seconds.
BETWEEN = 3.0, 9.0
#: The same until a worker that ended is started again.
STARTED_AGAIN = 0.5, 4.0
#: Seconds that a worker is frozen, over its lease and under it; seconds that Redis is dead or frozen.
FROZEN, BRIEFLY_FROZEN, REDIS_AWAY = (LEASE + 3, LEASE + 10), (1.0, 5.0), (1.0, 8.0)
#: Exit code of a worker that was asked to stop and did.
IN_ORDER = 0


class Faults:
    """Breaks a rig; `tick` is called again and again."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self._rig = rig
        self._random = random.Random(seed)  # noqa: S311
        self._order = count()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._redis_away = False
        self.next_at = 0.0
        #: How often each fault happened.
        self.happened: Counter[str] = Counter()
        #: Texts that were on their way when something broke.
        self.in_flight = 0
        #: Workers that did not stop as they should.
        self.failures: list[str] = []
        self._kinds: list[Callable[[], bool]] = [
            *(self.kill_worker, self.kill_worker, self.kill_leader, self.stop_worker),
            *(self.freeze_worker, self.freeze_briefly),
            *(self.kill_redis, self.empty_redis, self.freeze_redis, self.flush_redis),
            *(self.cut_connections, self.cut_a_commit, self.restart_postgres, self.crash_postgres),
        ]

    def begin(self) -> None:
        """Break the first thing a moment from now."""
        self.next_at = time.monotonic() + self._between(BETWEEN)

    def tick(self) -> str:
        """Do what is due, and break something when it is time; return what was broken, if anything."""
        self._do_due()
        self._tend_workers()
        if time.monotonic() < self.next_at:
            return ""
        self.next_at = time.monotonic() + self._between(BETWEEN)
        kind = self._random.choice(self._kinds)
        if not kind():
            return ""
        name = kind.__name__.replace("_", " ")
        self.happened[name] += 1
        return name

    def heal(self) -> bool:
        """Break nothing more; return whether everything that was broken is whole again."""
        self._do_due()
        self._tend_workers()
        return not self._later and all(slot.runs for slot in self._rig.slots)

    def _between(self, span: tuple[float, float]) -> float:
        return self._random.uniform(*span)

    def _do_later(self, span: tuple[float, float], act: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + self._between(span), next(self._order), act))

    def _do_due(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def _tend_workers(self) -> None:
        """Start workers where there are none, and note how those ended that were asked to."""
        for slot in self._rig.slots:
            if slot.child is not None and slot.child.poll() is not None:
                if slot.stopping and slot.child.poll() != IN_ORDER:
                    self.failures.append(f"a worker that was asked to stop did not: {slot.child.failure()}")
                elif not slot.stopping and not slot.start_at:
                    self.failures.append(f"a worker ended that nobody had asked to: {slot.child.failure()}")
                slot.child = None
                slot.start_at = time.monotonic() + self._between(STARTED_AGAIN)
            if slot.child is None and time.monotonic() >= slot.start_at:
                slot.start_at = 0.0
                self._rig.start_worker(slot)

    def _some_worker(self, *, but_first: bool = True) -> Slot | None:
        """Return a worker that runs; the first one lives through the soak, for its memory to be compared."""
        running = [slot for slot in self._rig.slots[but_first:] if slot.runs and slot.pids()]
        return self._random.choice(running) if running else None

    # --- workers ------------------------------------------------------------------------------------------------------

    def kill_worker(self) -> bool:
        """SIGKILL, wherever it is."""
        return self._kill(self._some_worker())

    def kill_leader(self) -> bool:
        """SIGKILL for the one that leads; the first worker is frozen instead."""
        leader = self._rig.leader()
        if leader is not None and leader.number == 0:
            return self._freeze(leader if leader.runs else None, FROZEN)
        return self._kill(leader if leader is not None and leader.runs else None)

    def _kill(self, slot: Slot | None) -> bool:
        if slot is None or slot.child is None:
            return False
        pids = slot.pids()
        slot.start_at = time.monotonic()
        slot.child.stop(grace=0)
        self._note(pids)
        return True

    def stop_worker(self) -> bool:
        """SIGTERM: it stores what it has in hand."""
        slot = self._some_worker()
        if slot is None or slot.child is None:
            return False
        slot.stopping = True
        os.kill(slot.child.pid, signal.SIGTERM)
        return True

    def freeze_worker(self) -> bool:
        """SIGSTOP for longer than a lease, then SIGCONT."""
        return self._freeze(self._some_worker(but_first=False), FROZEN)

    def freeze_briefly(self) -> bool:
        """SIGSTOP for a moment."""
        return self._freeze(self._some_worker(but_first=False), BRIEFLY_FROZEN)

    def _freeze(self, slot: Slot | None, span: tuple[float, float]) -> bool:
        if slot is None:
            return False
        pids = slot.pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        slot.frozen = True
        self._note(pids)

        def thaw() -> None:
            slot.frozen = False
            for pid in set(pids) & set(slot.pids()):
                os.kill(pid, signal.SIGCONT)

        self._do_later(span, thaw)
        return True

    def _note(self, pids: list[int]) -> None:
        """Add what workers had in hand to what was in flight."""
        try:
            self.in_flight += self._rig.in_hand(pids)
        except psycopg.OperationalError:
            self.failures.append("the database was away when a worker's leases were to be counted")

    # --- Redis --------------------------------------------------------------------------------------------------------

    def kill_redis(self) -> bool:
        """SIGKILL, and a start with what it had written down."""
        return self._without_redis(self._rig.kill_redis, lambda: self._rig.start_redis(empty=False))

    def empty_redis(self) -> bool:
        """SIGKILL, and a start with nothing."""
        return self._without_redis(self._rig.kill_redis, lambda: self._rig.start_redis(empty=True))

    def freeze_redis(self) -> bool:
        """SIGSTOP, then SIGCONT."""
        return self._without_redis(
            lambda: self._rig.signal_redis(signal.SIGSTOP), lambda: self._rig.signal_redis(signal.SIGCONT)
        )

    def flush_redis(self) -> bool:
        """Forget everything."""
        if self._redis_away:
            return False
        try:
            self._rig.flush_redis()
        except RedisError:
            return False
        return True

    def _without_redis(self, take: Callable[[], None], give_back: Callable[[], None]) -> bool:
        if self._redis_away:
            return False
        self._redis_away = True
        take()

        def back() -> None:
            give_back()
            self._redis_away = False

        self._do_later(REDIS_AWAY, back)
        return True

    # --- PostgreSQL ---------------------------------------------------------------------------------------------------

    def cut_connections(self) -> bool:
        """Cut every connection. Results in hand are stored by the next try, so nothing counts as in flight."""
        self._rig.sql(_CUT.format("true"))
        return True

    def cut_a_commit(self) -> bool:
        """Cut connections that are writing or about to commit."""
        return bool(self._rig.sql(_CUT.format("backend_xid IS NOT NULL")))

    def restart_postgres(self) -> bool:
        """A restart in good order: sessions are cut."""
        self._rig.restart_postgres(signal.SIGINT)
        return True

    def crash_postgres(self) -> bool:
        """An end without good order, and recovery."""
        self._rig.restart_postgres(signal.SIGQUIT)
        return True


_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND {}
"""
