"""`/api/yellow-books/{id}/similar`, the panel in the admin, and the command."""

from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from jobs.models import JobExecution
from tests.yellowbook.similarity.conftest import put, random_vectors, unit, work
from yellowbook.directory.models import Business
from yellowbook.similarity.marks import COMPUTE_SIMILARITY
from yellowbook.similarity.models import Similarity

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"


def path(business: Business) -> str:
    return f"/api/yellow-books/{business.pk}/similar"


def test_it_answers_with_the_scores_and_their_parts(visitor: APIClient) -> None:
    one, other = put([unit(1), unit(1, 0.5)], city="Дархан", price_level=2)
    work()
    answer = visitor.get(path(one)).json()
    (found,) = answer["results"]
    row = Similarity.objects.get(business=one)
    assert found["business"]["id"] == str(other.pk)
    assert found["business"]["name"] == other.name
    assert found["semantic"] == pytest.approx(1 / 1.25**0.5, abs=1e-3)
    assert found["context"] == 1.0
    assert found["score"] == pytest.approx(0.9 * found["semantic"] + 0.1, abs=2e-6)
    assert answer["candidates"] == 1
    assert answer["computed_at"] == row.computed_at.isoformat().replace("+00:00", "Z")
    assert answer["next_compute_at"] == row.next_compute_at.isoformat().replace("+00:00", "Z")


def test_before_anything_was_computed_the_list_is_empty(visitor: APIClient) -> None:
    business = Business.objects.create(name="A", category="B", address="C")
    empty = {"results": [], "computed_at": None, "next_compute_at": None, "candidates": 0}
    assert visitor.get(path(business)).json() == empty


def test_a_list_that_waits_to_be_computed_anew_says_so(visitor: APIClient) -> None:
    (one,) = put([unit(1)])
    answer = visitor.get(path(one)).json()
    assert answer["computed_at"] is None
    assert answer["next_compute_at"] is not None


@pytest.mark.parametrize("status", ["draft", "pending", "unpublished"])
def test_visitors_ask_for_published_ones_and_staff_for_any(visitor: APIClient, status: str) -> None:
    (hidden,) = put([unit(1)], status=status)
    assert visitor.get(path(hidden)).status_code == 404
    visitor.force_authenticate(User.objects.create_user("staff", is_staff=True))
    assert visitor.get(path(hidden)).status_code == 200


def test_a_business_that_is_gone_or_hidden_never_shows_even_before_anything_is_computed(visitor: APIClient) -> None:
    one, deleted, hidden, there = put([unit(1)] * 4)
    work()
    Business.objects.filter(pk=hidden.pk).update(status="unpublished")
    deleted_id = str(deleted.pk)
    deleted.delete()
    shown = [each["business"]["id"] for each in visitor.get(path(one)).json()["results"]]
    assert shown == [str(there.pk)]
    assert deleted_id not in shown


def test_limit(visitor: APIClient) -> None:
    one, *_ = put([unit(1)] * 12)
    work()
    assert len(visitor.get(path(one)).json()["results"]) == 10
    assert len(visitor.get(path(one) + "?limit=3").json()["results"]) == 3
    assert len(visitor.get(path(one) + "?limit=50").json()["results"]) == 10
    assert len(visitor.get(path(one) + "?limit=").json()["results"]) == 10


@pytest.mark.parametrize("limit", ["0", "-1", "51", "x", "1.0", " 1", "٣"])
def test_a_bad_limit_is_an_error(visitor: APIClient, limit: str) -> None:
    (one,) = put([unit(1)])
    answer = visitor.get(path(one), {"limit": limit})
    assert answer.status_code == 400
    assert "limit" in answer.json()["error"]["fields"]


@pytest.mark.parametrize("id", ["nonsense", "00000000-0000-4000-8000-000000000009"])
def test_what_names_no_business_is_not_found(visitor: APIClient, id: str) -> None:
    assert visitor.get(f"/api/yellow-books/{id}/similar").status_code == 404


def test_it_costs_the_same_queries_for_any_length(visitor: APIClient, django_assert_num_queries) -> None:
    one, *_ = put(random_vectors(11))
    work()
    with django_assert_num_queries(4):
        assert len(visitor.get(path(one)).json()["results"]) == 10


class TestAdmin:
    def page(self, client: Client, business: Business) -> str:
        return client.get(reverse("admin:directory_business_change", args=[business.pk])).content.decode()

    def test_a_businesss_page_shows_its_similar_ones_escaped(self, admin_client: Client) -> None:
        one, other = put([unit(1)] * 2, each=[{}, {"name": f"Evil {EVIL}", "city": EVIL}])
        assert "Nothing has been computed yet" in self.page(admin_client, one)
        work()
        page = self.page(admin_client, one)
        assert EVIL not in page
        assert "Evil &lt;script&gt;" in page
        assert reverse("admin:directory_business_change", args=[other.pk]) in page
        assert "1.000" in page

    def test_its_button_makes_an_urgent_job(self, admin_client: Client) -> None:
        one, _ = put([unit(1)] * 2)
        url = reverse("admin:similarity_compute", args=[one.pk])
        assert url in self.page(admin_client, one)
        assert admin_client.get(url).status_code == 405
        answer = admin_client.post(url, follow=True)
        assert "computed in the background" in answer.content.decode()
        assert JobExecution.objects.get(kind=COMPUTE_SIMILARITY).priority == 0

    def test_a_reader_sees_the_list_and_has_no_button(self, client: Client) -> None:
        reader = User.objects.create_user("reader", is_staff=True)
        reader.groups.add(Group.objects.get(name="Operators (read only)"))
        client.force_login(reader)
        one, _ = put([unit(1)] * 2)
        work()
        url = reverse("admin:similarity_compute", args=[one.pk])
        assert url not in self.page(client, one)
        assert client.post(url).status_code == 403
        assert client.get(reverse("admin:similarity_similarity_changelist")).status_code == 200


def test_the_command_starts_a_run_or_makes_one_job() -> None:
    one, _ = put([unit(1)] * 2)
    out = StringIO()
    call_command("compute_similarity", "--all", stdout=out)
    assert "has begun: 1 categories" in out.getvalue()
    with pytest.raises(CommandError, match="stop it"):
        call_command("compute_similarity", "--all")
    call_command("compute_similarity", "--business", str(one.pk), stdout=out)
    assert "waits" in out.getvalue()
    with pytest.raises(CommandError, match="no business"):
        call_command("compute_similarity", "--business", str(uuid4()))


def test_jobs_are_found_by_their_category() -> None:
    put([unit(1)])
    work()
    client = APIClient()
    client.force_authenticate(User.objects.create_user("staff", is_staff=True))
    (job,) = client.get("/api/admin/jobs", {"category": "Ресторан"}).json()["results"]
    assert (job["category"], job["business_id"]) == ("Ресторан", None)
    assert client.get("/api/admin/jobs", {"category": "Bank"}).json()["results"] == []
