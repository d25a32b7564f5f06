"""What the tests of curation share: businesses with vectors in known directions, and the clock, moved by its rows."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.current import current_model
from embeddings.models import Embedding
from jobs import clock
from jobs.execute import run_lane
from jobs.models import JobExecution, PeriodicTask
from jobs.periodic import start_due
from tests.yellowbook.directory.conftest import values
from yellowbook.curation.days import due_day, today
from yellowbook.curation.models import CollectionSet
from yellowbook.curation.names import CURATE_COLLECTIONS, PLAN_COLLECTIONS
from yellowbook.directory.models import Business
from yellowbook.search.index import index


def around(direction: int, number: int, *, seed: int = 0, spread: float = 0.02) -> NDArray[np.float32]:
    """Return unit vectors near one axis."""
    vectors = np.random.default_rng(seed + direction).normal(scale=spread, size=(number, 768))
    vectors[:, direction] += 1
    rows: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return rows


def enter(direction: int, number: int, *, fresh: bool = True, **changes: Any) -> list[Business]:
    """Put businesses on record with a place in the index and vectors near one axis; `fresh`: of their present text."""
    made = Business.objects.bulk_create(
        [Business(**values(name=f"{changes.get('category', 'B')} {place}", **changes)) for place in range(number)]
    )
    hashes = dict(Business.objects.filter(pk__in=[each.pk for each in made]).values_list("pk", "text_hash"))
    Embedding.objects.bulk_create(
        Embedding(
            business=business,
            model=current_model(),
            provider="test",
            task_type="RETRIEVAL_DOCUMENT",
            text_hash=hashes[business.pk] if fresh else "0" * 64,
            vector=vector,
        )
        for business, vector in zip(made, around(direction, number), strict=True)
    )
    index([business.pk for business in made], created=True)
    return made


def let_the_day_come(*, days_late: int = 0) -> None:
    """Move the clock of the schedule: the time of day is over, and was missed on so many days before."""
    start_due()
    due = PeriodicTask.objects.get(name=PLAN_COLLECTIONS).next_due_at - timedelta(days=1 + days_late)
    PeriodicTask.objects.filter(name=PLAN_COLLECTIONS).update(next_due_at=due)
    start_due()


def work() -> list[str]:
    """Do everything that is due; return the results of the jobs so far that made sets, oldest first."""
    while run_lane(PLAN_COLLECTIONS) or run_lane(CURATE_COLLECTIONS):
        pass
    return list(jobs().values_list("result", flat=True))


def jobs() -> Any:
    """Return the jobs that make sets, oldest first."""
    return JobExecution.objects.filter(kind=CURATE_COLLECTIONS).order_by("created_at")


def the_day() -> date:
    """Return the day whose collections are due."""
    return due_day(clock.now())


def set_of(surface: str = "home", day: date | None = None) -> CollectionSet:
    """Return the set of a surface, of the day that is due unless named."""
    return CollectionSet.objects.get(surface=surface, date=day or the_day())


def titles(row: CollectionSet) -> list[str]:
    """Return the English titles of a set, in order."""
    return [each.title_en for each in row.collections.order_by("position")]


def members(row: CollectionSet) -> list[list[Business]]:
    """Return the businesses of each collection, in order."""
    items = row.items.select_related("business").order_by("collection__position", "position")
    return [[item.business for item in of_one] for _, of_one in groupby(items, key=lambda item: item.collection_id)]


def yesterday() -> date:
    """Return the day before this one."""
    return today() - timedelta(days=1)
