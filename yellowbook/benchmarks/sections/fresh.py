"""How long a business waits for its vector when nothing else is to be done."""

import threading
from collections.abc import Iterator
from typing import Final

from embeddings.kinds import GENERATE_EMBEDDING
from yellowbook.benchmarks.measure import Figure, Scale, Section, milliseconds, register
from yellowbook.benchmarks.peers import one_by_one
from yellowbook.benchmarks.sections.saves import posted, staff_client, without_jobs
from yellowbook.benchmarks.system import await_end, now, workers
from yellowbook.search.evaluation.measures import percentile

#: POSTs, those before the clock counts, and the seconds between two: long enough that nothing is under way.
POSTS, WARM_UP, PAUSE = 60, 10, 0.15
#: Milliseconds, at the median.
LIMIT: Final = 30.0


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the time from before a POST until the vector is stored, by a worker in another process.

    Beside it: the design without workers, in which the request embeds, and whoever saves waits for it.
    """
    client = staff_client()
    took = []
    pause = threading.Event()
    posts = WARM_UP + scale(POSTS)
    with without_jobs():
        at_once = [milliseconds(lambda: one_by_one.embed.fn(posted(client))) for _ in range(posts)]
    with workers(1, {"EMBEDDING_PROVIDER": "local"}):
        for number in range(1, posts + 1):
            pause.wait(PAUSE)
            began = now()
            posted(client)
            took.append((await_end(GENERATE_EMBEDDING, number) - began) * 1000)
    for share, limit in ((0.5, LIMIT), (0.99, None)):
        yield Figure(
            f"idle POST to stored vector, p{share * 100:.0f}",
            percentile(took[WARM_UP:], share),
            "ms",
            percentile(at_once[WARM_UP:], share),
            limit,
            "embedded in the request",
        )


register(Section("fresh", "from a POST to its vector, local model", measure))
