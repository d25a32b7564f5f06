"""What is left in memory of a batch that is done: nothing."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from jobs.batch import Batch
from jobs.execute import run_lane
from jobs.models import JobExecution

from .support import MakeKind, waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _without_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_without_garbage_collection")
def test_a_batch_goes_with_its_turn_though_a_write_refers_to_it(make_kind: MakeKind) -> None:
    batches: list[weakref.ref[Batch]] = []

    def handle(batch: Batch) -> None:
        batches.append(weakref.ref(batch))
        batch.before_finish(lambda held: {job.id: "noted" for job in batch.jobs})

    kind = make_kind(handle, batch_size=10, linger=0.0)
    waiting(kind, "a", "b")
    assert run_lane(kind.name)
    assert set(JobExecution.objects.values_list("result", flat=True)) == {"noted"}
    assert [batch() for batch in batches] == [None]
