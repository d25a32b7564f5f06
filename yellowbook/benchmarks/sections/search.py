"""What searches take, and what they miss, in a directory of many businesses."""

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from embeddings.blocks import blocks
from embeddings.current import current_model
from embeddings.nearest import nearest
from embeddings.query import embed_query
from yellowbook.benchmarks.directory import fill, make_sketches
from yellowbook.benchmarks.measure import Figure, Scale, Section, milliseconds, register
from yellowbook.benchmarks.texts import Invented, questions
from yellowbook.blas import ONE_THREAD
from yellowbook.directory.selectors import published
from yellowbook.search.evaluation.measures import DEPTH, percentile
from yellowbook.search.filters import Filters
from yellowbook.search.search import normalised, search

#: Businesses, and measured searches of each sort.
BUSINESSES, SEARCHES = 100_000, 300
#: Times that each is repeated: of a few hundred, the 99th percentile would be the third that something disturbed.
AGAIN: Final = 5
#: Searches before the clock counts.
WARM_UP: Final = 30
#: How near a neighbour has to be to count as well as another: half precision tells no more.
ALIKE: Final = 1e-6

#: What is narrowed, and by what of the business that the query was made from.
FILTERS: Final[dict[str, Callable[[Invented], dict[str, Any]]]] = {
    "": lambda business: {},
    "by category": lambda business: {"category": business.category},
    "by city": lambda business: {"city": business.city},
    "by price": lambda business: {"price_level": business.price_level or 1},
}


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield what searches take, uncached and cached, and the share of the nearest that they are given."""
    businesses = fill(scale(BUSINESSES))
    read = milliseconds(lambda: sum(map(len, blocks(published(), model=current_model())))) / 1000
    name = f"sketches of {len(businesses):,} vectors made"
    yield Figure(name, make_sketches(), "s", read, against="all of them read")
    searches = scale(SEARCHES, at_least=20)
    asked = questions((searches + WARM_UP) * len(FILTERS), businesses)
    # As in `yellowbook.wsgi`; otherwise the benchmark's own lists are searched for garbage at the searches' expense.
    gc.collect()
    gc.freeze()
    for text in asked[:WARM_UP]:
        search(f"{text} warm", Filters())
    for number, (name, narrow) in enumerate(FILTERS.items()):
        texts = asked[number :: len(FILTERS)][:searches]
        filters = [Filters(**narrow(businesses[place * 7919 % len(businesses)])) for place in range(len(texts))]
        yield from _searches(f"{len(businesses):,} businesses, search {name}".strip(), texts, filters)
        yield _recall(f"recall@{DEPTH} {name}".strip(), texts, filters)


register(Section("search", "searches in a large directory", measure, environment=ONE_THREAD))


def _searches(name: str, texts: Sequence[str], filters: Sequence[Filters]) -> Iterator[Figure]:
    """Measure searches that nobody has made before, the same again, and the comparison with all vectors beside them."""
    first: list[float] = []
    again: list[float] = []
    for text, narrowed in zip(texts, filters, strict=True):
        answer = search(text, narrowed)
        (again if answer.cached else first).append(answer.took)
        again += [search(text, narrowed).took for _ in range(AGAIN)]
    scans = [
        milliseconds(lambda: nearest(vector_of(text), narrowed.businesses(), limit=DEPTH, exact=True))  # noqa: B023
        for text, narrowed in list(zip(texts, filters, strict=True))[:WARM_UP]
    ]
    for share, limit in ((0.5, None), (0.99, 20.0)):
        yield Figure(
            f"{name}, p{share * 100:.0f}", percentile(first, share), "ms", percentile(scans, share), limit, "a scan"
        )
    yield Figure(
        f"{name} asked before, p99", percentile(again, 0.99), "ms", percentile(first, 0.99), 3.0, "asked first"
    )


def _recall(name: str, texts: Sequence[str], filters: Sequence[Filters]) -> Figure:
    """Measure how many of the nearest by a scan of all vectors are found, or others that are as near."""
    shares = []
    for text, narrowed in zip(texts, filters, strict=True):
        vector, subjects = vector_of(text), narrowed.businesses()
        wanted = nearest(vector, subjects, limit=DEPTH, exact=True)
        found = nearest(vector, subjects, limit=DEPTH, narrowed=narrowed.facets())
        if wanted:
            enough = wanted[-1].cosine - ALIKE
            shares.append(sum(near.cosine >= enough for near in found) / len(wanted))
    return Figure(name, sum(shares) / max(1, len(shares)), "", 1.0, 0.98, "a scan", at_least=True)


def vector_of(text: str) -> Any:
    """Return the vector of a query, as a search makes it."""
    vector = embed_query(normalised(text))
    if vector is None:
        raise RuntimeError("the provider gave no vector of a query")
    return vector
