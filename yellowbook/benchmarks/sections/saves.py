"""What a save, a bulk request and an import cost, over the whole stack of views, database and Redis."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from django.contrib.auth.models import User
from django.db.models.signals import post_save
from django.test import Client

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.models import JobExecution
from yellowbook.benchmarks.measure import Figure, Scale, Section, milliseconds, register
from yellowbook.directory.models import Business
from yellowbook.directory.signals import follow_text
from yellowbook.search.evaluation.measures import percentile

#: Requests before the clock counts, measured ones of each sort, and rows of an import.
WARM_UP, REPEATS, ROWS = 20, 300, 10_000
#: Requests for one business, by which as many as a bulk has are reckoned.
SINGLES: Final = 20
#: Ids of a bulk request, and the milliseconds that it may take.
BULK: Final = {50: 100.0, 1_000: None, 10_000: 500.0}


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield what the requests of editors and importers take."""
    client = staff_client()
    yield from creates(client, scale(REPEATS))
    yield from bulk(client, {scale(size): limit for size, limit in BULK.items()})
    yield from imports(client, scale(ROWS))


register(Section("saves", "saves, bulk requests and imports", measure))


def staff_client() -> Client:
    """Return a client that is signed in as staff."""
    user = User.objects.create_user(f"benchmark-{uuid4().hex[:8]}", is_staff=True)
    client = Client()
    client.force_login(user)
    return client


@contextmanager
def without_jobs() -> Iterator[None]:
    """Have saves make no job: the reference of what a save costs."""
    post_save.disconnect(follow_text, sender=Business)
    try:
        yield
    finally:
        post_save.connect(follow_text, sender=Business)


def posted(client: Client) -> str:
    """Enter a business; return its id."""
    body = {"name": f"Benchmark {uuid4()}", "category": "Cafe", "address": "Peace Avenue 1", "description": "x" * 200}
    response = client.post("/api/yellow-books", json.dumps(body), content_type="application/json")
    if response.status_code != 201:
        raise RuntimeError(f"POST answered {response.status_code}: {response.content!r}")
    business_id: str = response.json()["id"]
    return business_id


def creates(client: Client, repeats: int) -> list[Figure]:
    """Measure POST /api/yellow-books and a save of a model with their job, beside the same without one."""
    posts = _side_by_side(lambda: posted(client), repeats)
    saves = _side_by_side(_save, repeats)
    return [
        *_shares("POST /api/yellow-books", *posts, limit=50.0),
        *_shares("save of a model", *saves),
        _added("the job's share of a POST, p50", *posts, limit=10.0),
        _added("the job's share of a save, p50", *saves, limit=2.0),
    ]


def _save() -> None:
    Business.objects.create(name=f"Saved {uuid4()}", category="Cafe", address="Peace Avenue 1", description="x" * 200)


def _side_by_side(act: Callable[[], object], repeats: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each call with its job and without, taking turns."""
    with_job: list[float] = []
    reference: list[float] = []
    for index in range(WARM_UP + repeats):
        with_job.append(milliseconds(act))
        with without_jobs():
            reference.append(milliseconds(act))
        if index == WARM_UP - 1:
            with_job.clear()
            reference.clear()
    return with_job, reference


def _shares(name: str, with_job: list[float], reference: list[float], limit: float | None = None) -> list[Figure]:
    """Return median, p95 (with the limit) and p99."""
    return [
        Figure(
            f"{name}, p{share * 100:.0f}",
            percentile(with_job, share),
            "ms",
            percentile(reference, share),
            limit if share == 0.95 else None,
            against="without a job",
        )
        for share in (0.5, 0.95, 0.99)
    ]


def _added(name: str, with_job: list[float], reference: list[float], limit: float) -> Figure:
    without = percentile(reference, 0.5)
    return Figure(name, percentile(with_job, 0.5) - without, "ms", without, limit, "without a job")


def bulk(client: Client, sizes: Mapping[int, float | None]) -> list[Figure]:
    """Measure POST /api/admin/embeddings/bulk for several numbers of ids, with no job waiting before.

    Beside it: as many requests with one id each, by the median of some.
    """

    def send(ids: Sequence[str]) -> None:
        body = json.dumps({"business_ids": ids})
        response = client.post("/api/admin/embeddings/bulk", body, content_type="application/json")
        if response.status_code != 202:
            raise RuntimeError(f"bulk answered {response.status_code}: {response.content[:200]!r}")

    figures: list[Figure] = []
    for size, limit in sizes.items():
        Business.objects.bulk_create(
            Business(name=f"Bulk {uuid4()}", category="Cafe", address="Peace Avenue 1")
            for _ in range(max(0, size - Business.objects.count()))
        )
        JobExecution.objects.filter(kind=GENERATE_EMBEDDING).delete()
        ids = [str(each) for each in Business.objects.values_list("pk", flat=True)[:size]]
        singles = [milliseconds(lambda: send([each])) for each in ids[:SINGLES]]  # noqa: B023
        JobExecution.objects.filter(kind=GENERATE_EMBEDDING).delete()
        took = milliseconds(lambda: send(ids))  # noqa: B023
        alone = size * percentile(singles, 0.5)
        figures.append(Figure(f"bulk of {size:,} ids", took, "ms", alone, limit, "as many requests for one"))
    return figures


def imports(client: Client, rows: int) -> list[Figure]:
    """Measure POST /api/yellow-books/import of new rows, and of the same rows again.

    Beside it: as many rows stored by Django's `bulk_create`, without checks, jobs and words to search for.
    """
    lines = ["external_id,name,category,description,address,city"]
    lines += [f"b-{index},Imported {index},Cafe,{'word ' * 20},Peace Avenue {index},Darkhan" for index in range(rows)]
    content = "\n".join(lines).encode()

    def send() -> None:
        response = client.post("/api/yellow-books/import", io.BytesIO(content).getvalue(), content_type="text/csv")
        if response.status_code != 202 or response.json()["rejected"]:
            raise RuntimeError(f"import answered {response.status_code}: {response.content[:200]!r}")

    def store() -> None:
        Business.objects.bulk_create(
            Business(name=f"Stored {index}", category="Cafe", description="word " * 20, address=f"Peace Avenue {index}")
            for index in range(rows)
        )

    stored = milliseconds(store) / 1000
    new, again = milliseconds(send) / 1000, milliseconds(send) / 1000
    return [
        Figure(f"import of {rows:,} new rows", new, "s", stored, 10.0, "by bulk_create alone"),
        Figure(f"import of the same {rows:,} rows again", again, "s", stored, against="by bulk_create alone"),
    ]
