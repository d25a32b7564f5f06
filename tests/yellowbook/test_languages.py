"""English and Mongolian."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from yellowbook.directory.models import Business

pytestmark = pytest.mark.django_db

MONGOLIAN = {"Accept-Language": "mn,en;q=0.5"}

#: What programs read.
FOR_PROGRAMS = [
    "/api/yellow-books",
    "/api/yellow-books/",
    "/api/yellow-books?status=nonsense&limit=x",
    "/api/yellow-books/00000000-0000-0000-0000-000000000000",
    "/api/admin/jobs",
    "/api/admin/dlq",
    "/api/admin/embeddings/status",
    "/api/admin/jobs?status=nonsense",
    "/api/schema",
    "/api/docs",
    "/api",
    "/api/nothing",
    "/health/live",
    "/health/ready",
]


def mongolian(client: Client) -> Client:
    """Return the client, with the choice of Mongolian that the switch makes."""
    response = client.post("/i18n/setlang/", {"language": "mn"}, headers={"referer": "/admin/login/"})
    assert response.headers["Location"] == "/admin/login/"
    return client


@pytest.fixture
def staff(client: Client) -> Client:
    Business.objects.create(name="Хатгал Кэмп", category="Tour camp", address="Хатгал")
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("path", FOR_PROGRAMS)
def test_what_programs_read_is_the_same_to_the_byte_whatever_the_clients_languages(staff: Client, path: str) -> None:
    before = staff.get(path)
    after = mongolian(staff).get(path, headers=MONGOLIAN)

    assert after.status_code == before.status_code
    assert after.content == before.content
    assert after.headers == before.headers
    assert "Content-Language" not in after.headers
    assert "Accept-Language" not in after.headers.get("Vary", "")


@pytest.mark.parametrize("values", [{}, {"name": "x" * 1000, "latitude": "north", "price_level": 9}])
def test_errors_of_the_api_are_english(staff: Client, values: dict[str, object]) -> None:
    before = staff.post("/api/yellow-books", values, content_type="application/json")
    after = mongolian(staff).post(
        "/api/yellow-books", values, content_type="application/json", headers={"Accept-Language": "mn"}
    )

    assert before.status_code == 400
    assert after.content == before.content


def test_a_visitor_is_spoken_to_as_the_browser_asks(client: Client) -> None:
    assert '<html lang="en"' in client.get("/admin/login/").content.decode()
    assert '<html lang="mn"' in client.get("/admin/login/", headers=MONGOLIAN).content.decode()
    assert '<html lang="en"' in client.get("/admin/login/", headers={"Accept-Language": "de"}).content.decode()


def test_a_choice_wins_over_the_browser_and_is_kept(client: Client) -> None:
    mongolian(client)

    page = client.get("/admin/login/", headers={"Accept-Language": "en"})

    assert '<html lang="mn"' in page.content.decode()
    assert {"Accept-Language", "Cookie"} <= {each.strip() for each in page.headers["Vary"].split(",")}
    cookie = client.cookies["django_language"]
    assert (cookie["samesite"], cookie["httponly"], cookie["max-age"]) == ("Lax", True, 31_536_000)


def test_the_choice_of_language_leads_nowhere_else(client: Client) -> None:
    response = client.post("/i18n/setlang/", {"language": "mn", "next": "https://elsewhere.example/"})
    assert response.headers["Location"] == "/"


def test_the_choice_of_language_needs_the_token_of_the_page() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/i18n/setlang/", {"language": "mn"}).status_code == 403


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/"])
def test_every_page_offers_both_languages_by_their_own_names(client: Client, path: str) -> None:
    if path == "/admin/":
        client.force_login(User.objects.create_superuser("admin"))
    page = client.get(path).content.decode()
    assert page.count('action="/i18n/setlang/"') == 2
    assert "Монгол" in page
    assert "English" in page


def test_the_next_request_on_a_thread_is_not_in_the_language_of_the_one_before(client: Client) -> None:
    client.get("/admin/login/", headers=MONGOLIAN)
    assert translation.get_language() == "en"
