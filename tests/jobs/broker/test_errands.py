"""A thread that does things for others."""

from functools import partial
from threading import Event

from jobs.broker.errands import Errands
from tests.concurrency import until


def test_names_that_come_while_it_is_busy_are_done_once_each() -> None:
    done: list[str] = []
    busy, go_on = Event(), Event()

    def act(name: str) -> None:
        busy.set()
        go_on.wait(20)
        done.append(name)

    errands = Errands(act, rest=lambda: None, idle=0.01)
    errands.add("first")
    busy.wait(20)
    for name in ("second", "third", "second"):
        errands.add(name)
    go_on.set()
    until(lambda: len(done) == 3, "all is done")
    assert done == ["first", "second", "third"]


def test_it_rests_when_there_is_nothing_to_do_and_begins_again() -> None:
    done: list[str] = []
    rests: list[int] = []

    def rested(times: int) -> bool:
        return len(rests) == times

    errands = Errands(done.append, rest=lambda: rests.append(len(done)), idle=0.01)
    for number in (1, 2):
        errands.add(f"errand {number}")
        until(partial(rested, number), "it rests")
    assert rests == [1, 2]


def test_one_that_fails_keeps_no_other_from_being_done() -> None:
    done: list[str] = []

    def act(name: str) -> None:
        if name == "bad":
            raise ValueError(name)
        done.append(name)

    errands = Errands(act, rest=lambda: None)
    for name in ("bad", "good"):
        errands.add(name)
    until(lambda: done == ["good"], "the next one is done")
