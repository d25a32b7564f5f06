"""The job `compute_similarity`: the lists of the businesses that are marked, category by category."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from embeddings.blocks import ID, ROWS, Block, Ids, blocks, vectors_of
from embeddings.current import current_model, similarity_floor
from embeddings.models import Embedding
from embeddings.providers.base import DIMENSIONS
from jobs.batch import Batch
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.selectors import published
from yellowbook.similarity.context import Codes, Traits, traits_of
from yellowbook.similarity.exhaustive import Exhaustive
from yellowbook.similarity.marks import tell
from yellowbook.similarity.models import Mark
from yellowbook.similarity.nearest import Best, Fetch, Nearest, find
from yellowbook.similarity.store import Lists, Moment, store

#: Candidates of its own category below which a business is compared with everybody.
ENOUGH: Final = 100
#: Candidates up to which their vectors are kept in memory (50 MB) while all who are compared with them are.
HELD: Final = 32_768
#: Businesses whose nearest are looked for at a time.
CHUNK: Final = ROWS
#: Seconds after which a batch begins nothing more: other jobs of the lane get their turn, and no time limit is near.
WITHIN: Final = 60.0

_TRAITS: Final = ("pk", "category", "city", "price_level", "offers_online")


@dataclass(slots=True)
class Work:
    """What one batch has to do: whose lists, and which marks those answer."""

    model: str
    moment: Moment
    categories: list[str]
    marks: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    codes: Codes = field(default_factory=Codes)
    until: float = 0.0

    @property
    def in_time(self) -> bool:
        """Whether something more may be begun."""
        return time.monotonic() < self.until

    def marks_on(self, ids: Iterable[UUID]) -> list[int]:
        """Return the marks on some businesses."""
        return [mark for business_id in ids for mark in self.marks[business_id]]


def open_marks(categories: Collection[str]) -> QuerySet[Mark]:
    """Return the marks that the lists of some categories' businesses answer."""
    return Mark.objects.filter(category__in=categories, told_at=None, listed=False)


def compute_similarities(batch: Batch) -> None:
    """Compute what is marked in the categories of a batch.

    What is computed is stored bit by bit with the marks it answers, so that a job that is broken off goes on where it
    was. A mark that comes meanwhile stays.
    """
    categories = [job.subject for job in batch.jobs]
    with transaction.atomic():
        tell(categories)
    work = Work(current_model(), Moment.now(), categories, until=time.monotonic() + WITHIN)
    own: dict[str, set[UUID]] = defaultdict(set)
    for mark_id, business_id, category in open_marks(categories).values_list("id", "business_id", "category"):
        work.marks[business_id].append(mark_id)
        own[category].add(business_id)
    batch.step(30, publish=True)
    done = compute(work)
    for job in batch.jobs:
        if own[job.subject] <= done:
            batch.succeed(job, f"{len(own[job.subject])} computed" if own[job.subject] else "nothing due")
        else:
            batch.postpone(job)


def compute(work: Work) -> set[UUID]:
    """Compute and store the lists of all businesses that are marked; return those that were dealt with in time."""
    done: set[UUID] = set()
    for pool, due in _pools(work):
        for ids in _compute(work, pool, due):
            done |= ids
        if not work.in_time:
            return done
    # Who is gone or has no vector has no list to compute.
    gone = set(work.marks) - done
    nothing = Lists(np.empty(0, ID), Best.empty(0, 0), np.empty(0, ID), np.empty(0, np.int64))
    store(nothing, work.marks_on(gone), moment=work.moment, model=work.model)
    return done | gone


def _pools(work: Work) -> Iterator[tuple[QuerySet[Business], list[Any]]]:
    """Yield candidates, and rows of those who are compared with them."""
    mine = Embedding.objects.filter(business_id=OuterRef("pk"), model=work.model)
    marked = open_marks(work.categories).values("business_id")
    due = Business.objects.filter(Exists(mine), pk__in=marked).values_list(*_TRAITS, "status")
    by_category: dict[str, list[Any]] = defaultdict(list)
    for row in due:
        by_category[row[1]].append(row)
    there = published().filter(category__in=list(by_category), embeddings__model=work.model)
    counts = dict(there.values_list("category").annotate(number=Count("pk")).order_by())
    wide: list[Any] = []
    for category, rows in by_category.items():
        narrow: list[Any] = []
        for row in rows:
            others = counts.get(category, 0) - (row[-1] == BusinessStatus.PUBLISHED)
            (narrow if others >= ENOUGH else wide).append(row)
        if narrow:
            yield published().filter(category=category), narrow
    if wide:
        yield published(), wide


def _compute(work: Work, pool: QuerySet[Business], due: list[Any]) -> Iterator[set[UUID]]:
    """Compute and store the lists of `due`, chunk by chunk; yield whose."""
    candidates = traits_of(pool.values_list(*_TRAITS).iterator(ROWS), work.codes)
    held = list(blocks(pool, model=work.model)) if len(candidates) <= HELD else None

    def read() -> Iterable[Block]:
        return blocks(pool, model=work.model) if held is None else held

    def fetch(ids: Ids) -> Block:
        if held is None:
            return vectors_of(ids, model=work.model)
        vectors, there = _vectors(ids, held, work.model)
        return Block(ids[there], vectors)

    for start in range(0, len(due), CHUNK):
        chunk = due[start : start + CHUNK]
        traits = traits_of((row[:-1] for row in chunk), work.codes)
        vectors, there = _vectors(traits.ids, held, work.model)
        lists = _nearest(work.model, traits.take(there), vectors, candidates, read, fetch)
        ids = {row[0] for row in chunk}
        store(lists, work.marks_on(ids), moment=work.moment, model=work.model)
        yield ids
        if not work.in_time:
            return


def _vectors(ids: Ids, held: Collection[Block] | None, model: str) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
    """Return the vectors of those of `ids` (sorted) that have one, and who those are."""
    vectors = np.empty((len(ids), DIMENSIONS), np.float16)
    there = np.zeros(len(ids), np.bool_)

    def put(block: Block) -> None:
        places, known = find(ids, block.ids)
        vectors[places[known]] = block.vectors[known]
        there[places[known]] = True

    for block in held or ():
        put(block)
    if not there.all():
        put(vectors_of(ids[~there], model=model))
    return vectors[there], there


def _nearest(
    model: str,
    traits: Traits,
    vectors: NDArray[np.float16],
    candidates: Traits,
    read: Callable[[], Iterable[Block]],
    fetch: Fetch,
) -> Lists:
    """Find the nearest, those of businesses with too many equals in a second pass."""
    limit, floor = settings.SIMILAR_LIMIT, similarity_floor(model)
    search = Nearest(traits, vectors, candidates, limit=limit, floor=floor)
    for block in read():
        search.see(block)
    best = search.best(fetch)
    crowded = search.crowded
    if len(crowded):
        again = Exhaustive(traits.take(crowded), vectors[crowded], candidates, limit=limit, floor=floor)
        for block in read():
            again.see(block)
        for part, exact in zip(best, again.best(), strict=True):
            part[crowded] = exact
    return Lists(traits.ids, best, candidates.ids, search.seen)
