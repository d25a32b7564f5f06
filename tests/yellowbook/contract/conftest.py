"""The application as Schemathesis calls it: with rows to find, and each call undone."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from knox import crypto
from knox.models import AuthToken

from embeddings.kinds import GENERATE_EMBEDDING
from jobs.enqueue import enqueue
from jobs.errors import NotFound
from jobs.kinds import get_kind
from jobs.lifecycle import Failure, claim, finish
from jobs.models import BulkAction, JobExecution, Run
from tests.yellowbook.directory.conftest import values
from yellowbook.directory.models import Business

#: The token of all calls: cases are made before there is a database to ask.
TOKEN = "ab" * 32
#: A business, its dead job, its waiting job, a run that was stopped, and a bulk action under way.
BUSINESS, DEAD, QUEUED, RUN, BULK = (UUID(f"00000000-0000-4000-8000-{number:012}") for number in (1, 2, 3, 4, 5))


@pytest.fixture
def directory(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A business with a dead and a waiting job, a stopped run, and a member of the staff who has the token."""
    monkeypatch.setattr(crypto, "create_token_string", lambda: TOKEN)
    AuthToken.objects.create(User.objects.create_user("schemathesis", is_staff=True))
    dead = enqueue(GENERATE_EMBEDDING, subject=BUSINESS).job_id
    JobExecution.objects.filter(id=dead).update(id=DEAD)
    claimed = claim(get_kind(GENERATE_EMBEDDING), worker="w")
    assert claimed is not None
    finish(claimed, {DEAD: Failure(NotFound("gone"))}, steps=[])
    queued = Business(id=BUSINESS, **values(external_id="known"))
    queued.save()
    JobExecution.objects.filter(subject=str(BUSINESS), status="queued").update(id=QUEUED)
    Run.objects.create(id=RUN, kind=GENERATE_EMBEDDING, state=Run.State.STOPPED, fed=True, total=1)
    BulkAction.objects.create(id=BULK, action="retry_dead_letters", criteria={"api": {"kind": "x"}}, total=1)
    for signal in (request_started, request_finished):
        # As Django's own client does: the connection holds the transaction of the test.
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
