"""The job `compute_similarity`: the lists of the businesses that are marked, category by category."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from embeddings.blocks import NOBODYS, ROWS, Block, Ids, as_ids, blocks, vectors_of
from embeddings.current import current_model, similarity_floor
from embeddings.models import Embedding
from embeddings.providers.base import DIMENSIONS
from jobs.batch import Batch
from yellowbook.directory.models import Business, BusinessStatus
from yellowbook.directory.selectors import published
from yellowbook.similarity.context import Codes, Row, Traits, traits_of
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
CHUNK: Final = 2_048
#: Candidates that they are compared with at a time.
BLOCK: Final = 4_096
#: Seconds after which a batch begins nothing more: other jobs of the lane get their turn, and no time limit is near.
WITHIN: Final = 60.0

_TRAITS: Final = ("pk", "category", "city", "price_level", "offers_online")


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks by the businesses that they are on, in the order of these; a business may have several."""

    on: Ids
    numbers: NDArray[np.int64]

    def of(self, ids: Ids) -> list[int]:
        """Return the marks on some businesses."""
        ranges = zip(*(np.searchsorted(self.on, ids, side).tolist() for side in ("left", "right")), strict=True)
        return [number for first, end in ranges for number in self.numbers[first:end].tolist()]


@dataclass(slots=True)
class Work:
    """What one batch has to do: whose lists, and which marks those answer."""

    model: str
    moment: Moment
    categories: list[str]
    marks: Marks
    codes: Codes = field(default_factory=Codes)
    until: float = 0.0

    @property
    def in_time(self) -> bool:
        """Whether something more may be begun."""
        return time.monotonic() < self.until


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
    model, moment = current_model(), Moment.now()
    marks, own = _marks(categories)
    work = Work(model, moment, categories, marks, until=time.monotonic() + WITHIN)
    batch.step(30, publish=True)
    done = compute(work)
    for job in batch.jobs:
        mine = own.get(job.subject, NOBODYS)
        if np.isin(mine, done).all():
            batch.succeed(job, f"{len(np.unique(mine))} computed" if len(mine) else "nothing due")
        else:
            batch.postpone(job)


def compute(work: Work) -> Ids:
    """Compute and store the lists of all businesses that are marked; return those that were dealt with in time."""
    parts = [NOBODYS]
    for pool, due in _pools(work):
        parts += _compute(work, pool, due)
        if not work.in_time:
            return np.concatenate(parts)
    # Who is gone or has no vector has no list to compute.
    done = np.concatenate(parts)
    gone = np.setdiff1d(work.marks.on, done)
    nothing = Lists(NOBODYS, Best.empty(0, 0), NOBODYS, np.empty(0, np.int64))
    store(nothing, work.marks.of(gone), moment=work.moment, model=work.model)
    return np.concatenate([done, gone])


def _marks(categories: Collection[str]) -> tuple[Marks, dict[str, Ids]]:
    """Return the open marks of some categories, and the businesses that are marked by category."""
    numbers: list[NDArray[np.int64]] = []
    on: dict[str, list[Ids]] = defaultdict(list)
    everybody = [NOBODYS]
    rows = open_marks(categories).order_by("business_id").values_list("id", "business_id", "category").iterator(ROWS)
    while some := list(islice(rows, ROWS)):
        numbers.append(np.array([number for number, _, _ in some], np.int64))
        everybody.append(as_ids([business_id for _, business_id, _ in some]))
        names = np.array([category for _, _, category in some])
        for name in set(names.tolist()):
            on[name].append(everybody[-1][names == name])
    marks = Marks(np.concatenate(everybody), np.concatenate([np.empty(0, np.int64), *numbers]))
    return marks, {name: np.concatenate(parts) for name, parts in on.items()}


def _pools(work: Work) -> Iterator[tuple[QuerySet[Business], Traits]]:
    """Yield candidates, and those who are compared with them."""
    mine = Embedding.objects.filter(business_id=OuterRef("pk"), model=work.model)
    marked = open_marks(work.categories).values("business_id")
    rows = Business.objects.filter(Exists(mine), pk__in=marked).order_by("pk").values_list(*_TRAITS, "status")
    are_public: list[bool] = []

    def noted() -> Iterator[Row]:
        for *traits, status in rows.iterator(ROWS):
            are_public.append(status == BusinessStatus.PUBLISHED)
            yield tuple(traits)

    due = traits_of(noted(), work.codes)
    names = {int(code): work.codes.name(code) for code in np.unique(due.category)}
    there = published().filter(category__in=list(names.values()), embeddings__model=work.model)
    counts = dict(there.values_list("category").annotate(number=Count("pk")).order_by())
    others = np.array([counts.get(names[code], 0) for code in due.category.tolist()], np.int64) - are_public
    for code, name in names.items():
        narrow = due.take((due.category == code) & (others >= ENOUGH))
        if len(narrow):
            yield published().filter(category=name), narrow
    wide = due.take(others < ENOUGH)
    if len(wide):
        yield published(), wide


def _compute(work: Work, pool: QuerySet[Business], due: Traits) -> Iterator[Ids]:
    """Compute and store the lists of `due`, chunk by chunk; yield whose."""
    candidates = traits_of(pool.values_list(*_TRAITS).iterator(ROWS), work.codes)
    held = list(blocks(pool, model=work.model, rows=BLOCK)) if len(candidates) <= HELD else None

    def read() -> Iterable[Block]:
        return blocks(pool, model=work.model, rows=BLOCK) if held is None else held

    def fetch(ids: Ids) -> Block:
        if held is None:
            return vectors_of(ids, model=work.model)
        vectors, there = _vectors(ids, held, work.model)
        return Block(ids[there], vectors)

    for start in range(0, len(due), CHUNK):
        traits = due.take(slice(start, start + CHUNK))
        vectors, there = _vectors(traits.ids, held, work.model)
        lists = _nearest(work.model, traits.take(there), vectors, candidates, read, fetch)
        store(lists, work.marks.of(traits.ids), moment=work.moment, model=work.model)
        yield traits.ids
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
