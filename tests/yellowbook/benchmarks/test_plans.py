"""No hot path reads a big table from end to end: the plans of what it asks, in a database that is large enough."""

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.sketches.keeper import keeper
from jobs.enqueue import enqueue, enqueue_many
from jobs.execute import run_lane
from jobs.kinds import get_kind
from jobs.lifecycle import claim
from yellowbook.benchmarks.directory import make_sketches, settle
from yellowbook.benchmarks.populate import populate
from yellowbook.directory.models import Business
from yellowbook.search.filters import Filters
from yellowbook.search.refresh import refresh
from yellowbook.search.search import search

pytestmark = pytest.mark.django_db(transaction=True)

#: Tables with a row for each business or each job.
BIG = {
    "directory_business",
    "embeddings_embedding",
    "search_document",
    "jobs_jobexecution",
    "jobs_attempt",
    "jobs_deadletter",
}
EXPLAINED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


class Plans:
    """Explains each statement before it runs, and keeps those that read a big table from end to end."""

    def __init__(self):
        self.explained = 0
        self.scans = []

    def __call__(self, execute, sql, params, many, context):
        text = sql if isinstance(sql, str) else sql.as_string(context["connection"].connection)
        if not many and text.lstrip().startswith(EXPLAINED):
            # The very cursor: others may not know how to send the parameters.
            cursor = context["cursor"].cursor
            cursor.execute(f"EXPLAIN (FORMAT JSON) {text}", params)
            (found,) = cursor.fetchone()
            self.explained += 1
            plan = json.loads(found) if isinstance(found, str) else found
            self.scans += [(table, text) for table in scanned(plan[0]["Plan"]) if table in BIG]
        return execute(sql, params, many, context)


def scanned(plan):
    """Yield the tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for child in plan.get("Plans", ()):
        yield from scanned(child)


def scans(act):
    plans = Plans()
    with connection.execute_wrapper(plans):
        act()
    assert plans.explained
    return plans.scans


@pytest.fixture
def large():
    """Fill the database as a system that has worked for a week."""
    populate(10_000, 50_000, lambda step: None)
    refresh()
    settle()
    make_sketches()
    yield
    keeper.forget()


def test_no_hot_path_reads_a_big_table_from_end_to_end(large):
    client = Client()
    client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    subjects = list(Business.objects.order_by("pk").values_list("pk", flat=True)[:200])

    def claim_a_batch():
        with transaction.atomic():
            claim(get_kind(GENERATE_EMBEDDING), worker="plans")
            transaction.set_rollback(True)

    paths = {
        "a read of everything, which is found": lambda: list(Business.objects.filter(description="")),
        "enqueue": lambda: enqueue(GENERATE_EMBEDDING, subject=subjects[0]),
        "enqueue many": lambda: enqueue_many(GENERATE_EMBEDDING, subjects),
        "claim": claim_a_batch,
        "a batch from claim to end": lambda: run_lane(GENERATE_EMBEDDING),
        "dashboard": lambda: client.get("/admin/"),
        "list of jobs": lambda: client.get("/admin/jobs/jobexecution/"),
        "status": lambda: client.get("/api/admin/embeddings/status"),
        "search": lambda: search("Алтан hotel", Filters()),
        "search in a category": lambda: search("кафе", Filters(category="Cafe")),
    }
    found = {name: scans(act) for name, act in paths.items()}
    assert [table for table, _ in found.pop("a read of everything, which is found")] == ["directory_business"]
    assert {name: plans for name, plans in found.items() if plans} == {}
