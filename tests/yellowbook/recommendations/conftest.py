"""The stand-in for Google's API embeds businesses and tastes; a user with a token."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from knox.models import AuthToken
from rest_framework.test import APIClient

from embeddings import current
from embeddings.kinds import GENERATE_EMBEDDING
from embeddings.standin.log import CallLog
from embeddings.standin.server import StandInServer
from embeddings.standin.service import StandIn
from jobs.execute import run_lane
from jobs.models import JobExecution
from tests.embeddings.conftest import KEY
from yellowbook.directory.models import Business
from yellowbook.recommendations.models import TasteProfile
from yellowbook.recommendations.names import EMBED_PROFILE

PROFILE = "/api/taste-profile"
OPINIONS = f"{PROFILE}/opinions"
RECOMMENDATIONS = "/api/recommendations"

#: Name, category, description, city and price level.
BUSINESSES = (
    ("Номин", "Ресторан", "Монгол хоол, хурим, төрсөн өдөр", "Улаанбаатар", 2),
    ("Модерн Номадс", "Ресторан", "Монгол хоол, бууз, хуушуур", "Улаанбаатар", 3),
    ("Кофе Бин", "Кафе", "Кофе, бялуу, тайван орчин", "Улаанбаатар", 2),
    ("Хөвсгөл кемп", "Жуулчны бааз", "Нуурын эрэг дээрх ger camp", "Хатгал", 3),
    ("Авто засвар", "Засвар", "Машины хөдөлгүүр, дугуй", "Дархан", 1),
)


@pytest.fixture
def server() -> Generator[StandInServer]:
    with StandInServer(StandIn(trickle=0.1, log=CallLog(with_texts=True))) as server:
        yield server


@pytest.fixture
def standin(server: StandInServer, settings: Any) -> Generator[StandIn]:
    """The stand-in, which the settings name."""
    settings.EMBEDDING_PROVIDER = "gemini"
    settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = KEY, server.url
    yield server.standin
    with current._making:
        current._made.cache_clear()


@pytest.fixture
def user(db: None) -> User:
    """Somebody who is no staff."""
    return User.objects.create_user("сараа")


def client_of(user: User) -> APIClient:
    """Return the API as a user sees it."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(user)[1]}")
    return client


@pytest.fixture
def mine(user: User) -> APIClient:
    """The API as the user sees it."""
    return client_of(user)


@pytest.fixture
def businesses(standin: StandIn) -> dict[str, Business]:
    """Some businesses by name, all of them embedded."""
    made = {}
    for name, category, description, city, price in BUSINESSES:
        made[name] = Business.objects.create(
            name=name, category=category, description=description, address=city, city=city, price_level=price
        )
    while run_lane(GENERATE_EMBEDDING):
        pass
    standin.log.forget()
    return made


def work() -> list[str]:
    """Do everything that is due for profiles; return the results of all jobs so far, oldest first."""
    while run_lane(EMBED_PROFILE):
        pass
    return [job.result for job in jobs()]


def jobs() -> list[JobExecution]:
    """Return the jobs of profiles, oldest first."""
    return list(JobExecution.objects.filter(kind=EMBED_PROFILE).order_by("created_at"))


def texts(standin: StandIn) -> list[str]:
    """Return the texts that were sent."""
    return [text for call in standin.log.calls() for text in call.get("text", [])]


def names(answer: Any) -> list[str]:
    """Return the names of what is recommended."""
    assert answer.status_code == 200, answer.content
    return [each["business"]["name"] for each in answer.json()["results"]]


def meanwhile(standin: StandIn, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen once, while a text is at the provider."""
    ask = standin.outcome

    def outcome(request: Any) -> Any:
        monkeypatch.setattr(standin, "outcome", ask)
        act()
        connection.close()
        return ask(request)

    monkeypatch.setattr(standin, "outcome", outcome)


def profile() -> TasteProfile:
    """Return the one profile that there is."""
    return TasteProfile.objects.get()
