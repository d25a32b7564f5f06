"""The embeddings app with everything real but the provider."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection
from knox.models import AuthToken
from numpy.typing import NDArray
from pgvector import HalfVector
from rest_framework.test import APIClient

from embeddings import generate, parts, switch
from embeddings.current import current_model
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.management.commands import switch_model
from embeddings.models import Embedding
from embeddings.prepare import prepare
from embeddings.providers.base import DIMENSIONS, Provider, TaskType
from jobs.errors import ConfigurationError
from jobs.execute import run_lane
from jobs.models import JobExecution
from jobs.runs.attend import attend_all
from tests.concurrency import Session
from yellowbook.directory.models import Business
from yellowbook.directory.text import embedded_text

MODEL = "fake-1"


def vector_of(text: str) -> list[float]:
    """Return some vector, far from unit norm, that only this text has."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return list(map(float, np.random.default_rng(seed).normal(size=DIMENSIONS) * 7))


class FakeProvider(Provider):
    """What is outside: answers as it is told to, and remembers what it was asked."""

    name = "fake"
    max_batch = 100
    max_tokens = 2048
    default_model = MODEL

    def __init__(self, model: str = MODEL) -> None:
        super().__init__(model=model, timeout=1)
        self.calls: list[list[str]] = []
        self.tasks: set[TaskType] = set()
        self.in_transaction: list[bool] = []
        #: Called with the texts before the answer; may raise or return another answer.
        self.meanwhile: Callable[[list[str]], Any] = lambda texts: None

    def embed(self, texts: Sequence[str], task: TaskType) -> Sequence[Any]:
        """Answer."""
        self.calls.append(list(texts))
        self.tasks.add(task)
        self.in_transaction.append(connection.in_atomic_block)
        answer = self.meanwhile(list(texts))
        return [vector_of(text) for text in texts] if answer is None else answer


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    """Have the directory that whitenoise warns about where `collectstatic` never ran."""
    django_settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def use_model(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], FakeProvider]:
    """Have the settings name a model of the fake provider; those named before can still be made."""
    fakes: dict[str, FakeProvider] = {}

    def provider_for(model: str) -> FakeProvider:
        if model not in fakes:
            raise ConfigurationError(f"{model!r} is no model of the fake provider.")
        return fakes[model]

    def use(model: str) -> FakeProvider:
        fakes[model] = FakeProvider(model)
        settings.EMBEDDING_MODEL = model
        monkeypatch.setattr(generate, "current_provider", lambda: provider_for(current_model()))
        for module in (parts, switch, switch_model):
            monkeypatch.setattr(module, "provider_for", provider_for)
        return fakes[model]

    return use


@pytest.fixture
def provider(use_model: Callable[[str], FakeProvider]) -> FakeProvider:
    """The provider in use."""
    return use_model(MODEL)


@dataclass(frozen=True)
class Fakes:
    """Two models of the fake provider."""

    old: FakeProvider
    new: FakeProvider


@pytest.fixture
def models(use_model: Callable[[str], FakeProvider]) -> Fakes:
    """Have the model `old` serve, beside one called `new`."""
    new = use_model("new")
    return Fakes(use_model("old"), new)


@pytest.fixture
def session() -> Iterator[Callable[[], Session]]:
    """Open further database sessions."""
    opened: list[Session] = []

    def open_session() -> Session:
        opened.append(Session())
        return opened[-1]

    yield open_session
    for each in opened:
        each.close()


@pytest.fixture
def api(db: None) -> APIClient:
    """The API as the staff uses it."""
    client = APIClient()
    token = AuthToken.objects.create(User.objects.create_user("болд", is_staff=True))[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def sent(made: Business) -> str:
    """Return the text of a business as a provider gets it."""
    return prepare(embedded_text(made), max_tokens=FakeProvider.max_tokens).text


def numbers_of(stored: Embedding) -> NDArray[np.float64]:
    """Return the numbers of a stored vector."""
    return np.array(HalfVector(stored.vector).to_list())


def business(name: str = "Номин", **changes: Any) -> Business:
    """Save a business with the job that this makes."""
    made = Business(name=name, category="Ресторан", address="Энхтайвны өргөн чөлөө 12", **changes)
    made.save()
    return made


def work() -> list[JobExecution]:
    """Let a worker take one turn; return the jobs of all businesses, oldest first."""
    assert run_lane(GENERATE_EMBEDDING)
    return list(JobExecution.objects.order_by("created_at", "subject"))


def job_of(made: Business) -> JobExecution:
    """Return the newest job of a business."""
    return JobExecution.objects.filter(subject=str(made.pk)).latest("created_at")


def ends(*made: Business) -> list[tuple[str, str]]:
    """Return how the newest jobs of businesses ended."""
    return [(job.status, job.result or job.error_class) for job in map(job_of, made)]


def vector(made: Business, model: str = MODEL) -> Any:
    """Return the stored vector of a business, or None."""
    return Embedding.objects.filter(business=made, model=model).first()


def work_all(*, most: int = 200) -> None:
    """Let workers and leader do everything that is due."""
    for _ in range(most):
        attend_all()
        if not run_lane(GENERATE_EMBEDDING):
            attend_all()
            if not run_lane(GENERATE_EMBEDDING):
                return
    raise AssertionError("it does not come to an end")


def has_fresh(made: Business, model: str) -> bool:
    """Tell whether a business has a vector of its present text by a model."""
    made = Business.objects.get(pk=made.pk)
    return Embedding.objects.filter(business=made, model=model, text_hash=made.text_hash).exists()
