"""What a save, a bulk request and an import cost, over the whole stack of views, database and Redis."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
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


def posted(client: Client) -> None:
    """Enter a business."""
    body = {"name": f"Benchmark {uuid4()}", "category": "Cafe", "address": "Peace Avenue 1", "description": "x" * 200}
    response = client.post("/api/yellow-books", json.dumps(body), content_type="application/json")
    if response.status_code != 201:
        raise RuntimeError(f"POST answered {response.status_code}: {response.content!r}")


def creates(client: Client, repeats: int) -> list[Figure]:
    """Measure POST /api/yellow-books and a save of a model with their job, beside the same without one."""
    posts = _side_by_side(lambda: posted(client), repeats)
    saves = _side_by_side(_save, repeats)
    return [
        *_shares("POST /api/yellow-books", *posts, limit=50.0),
        *_shares("save of a model", *saves),
        Figure("the job's share of a POST, p50", _added(*posts), "ms", None, 10.0),
        Figure("the job's share of a save, p50", _added(*saves), "ms", None, 2.0),
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


def _added(with_job: list[float], reference: list[float]) -> float:
    return percentile(with_job, 0.5) - percentile(reference, 0.5)


def bulk(client: Client, sizes: Mapping[int, float | None]) -> list[Figure]:
    """Measure POST /api/admin/embeddings/bulk for several numbers of ids, with no job waiting before."""
    figures = []
    for size, limit in sizes.items():
        Business.objects.bulk_create(
            Business(name=f"Bulk {uuid4()}", category="Cafe", address="Peace Avenue 1")
            for _ in range(max(0, size - Business.objects.count()))
        )
        JobExecution.objects.filter(kind=GENERATE_EMBEDDING).delete()
        ids = [str(each) for each in Business.objects.values_list("pk", flat=True)[:size]]
        body = json.dumps({"business_ids": ids})

        def send(body: str = body) -> None:
            response = client.post("/api/admin/embeddings/bulk", body, content_type="application/json")
            if response.status_code != 202:
                raise RuntimeError(f"bulk answered {response.status_code}: {response.content[:200]!r}")

        figures.append(Figure(f"bulk of {size:,} ids", milliseconds(send), "ms", None, limit))
    return figures


def imports(client: Client, rows: int) -> list[Figure]:
    """Measure POST /api/yellow-books/import of new rows, and of the same rows again."""
    lines = ["external_id,name,category,description,address,city"]
    lines += [f"b-{index},Imported {index},Cafe,{'word ' * 20},Peace Avenue {index},Darkhan" for index in range(rows)]
    content = "\n".join(lines).encode()

    def send() -> None:
        response = client.post("/api/yellow-books/import", io.BytesIO(content).getvalue(), content_type="text/csv")
        if response.status_code != 202 or response.json()["rejected"]:
            raise RuntimeError(f"import answered {response.status_code}: {response.content[:200]!r}")

    return [
        Figure(f"import of {rows:,} new rows", milliseconds(send) / 1000, "s", None, 10.0),
        Figure(f"import of the same {rows:,} rows again", milliseconds(send) / 1000, "s"),
    ]
