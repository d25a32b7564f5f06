"""Which businesses there are to choose from, and the clusters of their fresh vectors.

Vectors are read block by block: memory does not grow with their number. Clusters are those of a sample, and everybody
else joins the nearest one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

import numpy as np
from django.db.models import Exists, QuerySet
from numpy.typing import NDArray

from embeddings.blocks import ID, Block, Ids, as_ids, blocks
from embeddings.current import current_model
from embeddings.freshness import fresh_vector
from yellowbook.curation.clustering import Numbers, Vectors, centres_of, nearest_of
from yellowbook.curation.models import CollectionItem
from yellowbook.curation.surfaces import Surface
from yellowbook.directory.models import Business

#: Vectors that clusters are made of, about: 61 MB. With more, clusters come out the same and it takes longer.
SAMPLE: Final = 20_000
#: The newest businesses that count as added lately, if they are no older than so many days.
NEWEST: Final = 2_000
NEW_FOR: Final = 30
#: Days before for which it counts that a surface has shown a business.
SHOWN_FOR: Final = 7


@dataclass(frozen=True, slots=True)
class Clusters:
    """Businesses by cluster, shape (n,) each: the best candidates of a cluster first, clusters one after the other."""

    ids: Ids
    labels: Numbers
    #: How near a business is to its cluster, with what the surface adds to that.
    scores: Vectors

    def members(self) -> Iterator[tuple[Ids, Vectors]]:
        """Yield the ids and scores of each cluster."""
        for start, end in zip(*_bounds(self.labels), strict=True):
            yield self.ids[start:end], self.scores[start:end]


def recently_shown(surface: Surface, day: date) -> QuerySet[CollectionItem]:
    """Return what a surface has shown in the days before `day`."""
    return CollectionItem.objects.filter(
        collection_set__surface=surface.name,
        collection_set__date__lt=day,
        collection_set__date__gte=day - timedelta(days=SHOWN_FOR),
    )


def clusters(businesses: QuerySet[Business], number: int, *, of_about: int, surface: Surface, day: date) -> Clusters:
    """Return up to `number` clusters of those of `businesses` that have a fresh vector by the model that serves.

    There are fewer where so many would have less than `of_about` businesses each. The same businesses come out in the
    same clusters on the same day.
    """
    model = current_model()
    fresh = businesses.filter(Exists(fresh_vector(model)))
    many = fresh.count()
    seed = _seed(surface, day)
    sampled = _sampled(blocks(fresh, model=model), share=SAMPLE / many if many > SAMPLE else 1.0, seed=seed)
    centres = centres_of(_single(sampled), max(1, min(number, many // of_about)), np.random.default_rng(seed))
    everybody: Iterable[Block] = blocks(fresh, model=model) if many > SAMPLE else [sampled]
    ids, labels, scores = _assigned(everybody, centres)
    scores += surface.newness * np.isin(ids, _newest(businesses, day))
    scores -= surface.rarity * np.isin(ids, _ids(recently_shown(surface, day).values_list("business_id", flat=True)))
    order = np.lexsort((ids, -scores, labels))
    return Clusters(ids[order], labels[order], scores[order])


def _seed(surface: Surface, day: date) -> int:
    return int.from_bytes(sha256(f"{surface.name} {day}".encode()).digest()[:8])


def _single(block: Block) -> Vectors:
    return block.vectors.astype(np.float32)


def _sampled(read: Iterable[Block], *, share: float, seed: int) -> Block:
    """Return the same vectors on every reading, in the order of their ids."""
    kept = [(block.ids[chosen], block.vectors[chosen]) for block in read for chosen in [_chosen(block, share, seed)]]
    if not kept:
        return Block(np.empty(0, ID), np.empty((0, 0), np.float16))
    ids, vectors = (np.concatenate(column) for column in zip(*kept, strict=True))
    order = np.argsort(ids, kind="stable")
    return Block(ids[order], vectors[order])


def _chosen(block: Block, share: float, seed: int) -> NDArray[np.bool_]:
    """Tell for each row whether it is in the sample: by its id alone, which is as good as random (`splitmix64`)."""
    if share >= 1:
        return np.ones(len(block), np.bool_)
    halves = np.frombuffer(block.ids.tobytes(), np.uint64).reshape(-1, 2)
    mixed = halves[:, 0] ^ halves[:, 1] ^ np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) < np.uint64(int(share * 2**64))


def _assigned(read: Iterable[Block], centres: Vectors) -> tuple[Ids, Numbers, Vectors]:
    """Return the ids of all, the number of the nearest centre, and how near that is."""
    parts = [(block.ids, *nearest_of(_single(block), centres)) for block in read if len(block)]
    if not parts:
        return np.empty(0, ID), np.empty(0, np.int32), np.empty(0, np.float32)
    ids, labels, closeness = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ids, labels, closeness


def _newest(businesses: QuerySet[Business], day: date) -> Ids:
    since = datetime.combine(day - timedelta(days=NEW_FOR), time.min, UTC)
    lately = businesses.filter(created_at__gte=since)
    return _ids(lately.order_by("-created_at").values_list("pk", flat=True)[:NEWEST])


def _ids(uuids: Any) -> Ids:
    return as_ids(list(uuids))


def _bounds(labels: Numbers) -> tuple[list[int], list[int]]:
    """Return where the runs of equal labels begin and end."""
    starts = np.flatnonzero(np.diff(labels, prepend=-1)).tolist()
    return starts, [*starts[1:], len(labels)] if starts else []
