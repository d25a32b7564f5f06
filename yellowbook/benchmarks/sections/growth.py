"""What operations cost in a small installation and in a large one."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.enqueue import enqueue
from jobs.kinds import get_kind
from jobs.lifecycle import claim
from yellowbook.benchmarks.directory import fill, make_sketches, settle
from yellowbook.benchmarks.measure import Figure, Scale, Section, milliseconds, register
from yellowbook.benchmarks.populate import populate_jobs
from yellowbook.benchmarks.texts import questions
from yellowbook.blas import ONE_THREAD
from yellowbook.directory.models import Business
from yellowbook.search.filters import Filters
from yellowbook.search.search import search

#: Businesses, and as many jobs.
SIZES: Final = (10_000, 100_000, 1_000_000)
#: What is measured is the median of so many, after so many others: just loaded, a directory is in no cache.
REPEATS, WARM_UP = 51, 50
#: Businesses of which there is another one, and another query, for each repetition.
FEWEST: Final = 2 * (REPEATS + WARM_UP)
#: Multiple of the time in the smallest one that an operation may take.
FLAT: Final = 1.5


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield what each operation takes at every size, beside what it takes at the smallest."""
    smallest: dict[str, float] = {}
    sizes = list(dict.fromkeys(scale(size, at_least=FEWEST) for size in SIZES))
    for size in sizes:
        # None of them twice, so that none is answered from the cache; the directory's own at each size.
        asked = list(dict.fromkeys(questions(4 * (REPEATS + WARM_UP), fill(size))))
        _give_history(size)
        for name, act in _operations(asked).items():
            for _ in range(WARM_UP):
                act()
            took = median(milliseconds(act) for _ in range(REPEATS))
            reference = smallest.setdefault(name, took)
            shown = f"{name}, {size:,} businesses and jobs"
            if size == sizes[0]:
                yield Figure.of_peer(shown, took, "ms")
            else:
                yield Figure(shown, took, "ms", reference, FLAT * reference, "with the fewest")


register(Section("growth", "with more and more businesses and jobs", measure, environment=ONE_THREAD))


def _give_history(jobs: int) -> None:
    """Replace all jobs by one for each business."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE tablename LIKE 'jobs_%'")
        (tables,) = cursor.fetchone()
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    populate_jobs(jobs, jobs, lambda step: None)
    settle()
    make_sketches()


def _operations(asked: list[str]) -> dict[str, Callable[[], object]]:
    client = Client()
    client.force_login(User.objects.get_or_create(username="growth", is_staff=True, is_superuser=True)[0])
    subjects = Business.objects.order_by("pk").values_list("pk", flat=True).iterator()
    queries = iter(asked)
    return {
        "enqueue": lambda: enqueue(GENERATE_EMBEDDING, subject=next(subjects)),
        "claim of a full batch": _claim,
        "dashboard": lambda: _got(client, "/admin/"),
        "status": lambda: _got(client, "/api/admin/embeddings/status"),
        "search": lambda: search(next(queries), Filters()),
    }


def _claim() -> None:
    """Claim a batch and take it back."""
    with transaction.atomic():
        claim(get_kind(GENERATE_EMBEDDING), worker="growth")
        transaction.set_rollback(True)


def _got(client: Client, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"GET {path} answered {response.status_code}")
