import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from jobs.models import JobExecution
from tests.jobs.support import NOBODY
from yellowbook.directory.models import Business

from .conftest import MakeBusiness, jobs_of, values

pytestmark = pytest.mark.django_db

URL = "/api/yellow-books"

FIELDS = {
    "id",
    "external_id",
    "name",
    "category",
    "description",
    "address",
    "city",
    "phone",
    "email",
    "website",
    "latitude",
    "longitude",
    "price_level",
    "offers_online",
    "status",
    "created_at",
    "updated_at",
}


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [business["name"] for business in response.json()["results"]]


def fields_of(response: Any) -> dict[str, Any]:
    """Return the fields that a 400 names, from the envelope."""
    assert response.status_code == 400, response.content
    fields: dict[str, Any] = response.json()["error"]["fields"]
    return fields


class TestCreate:
    def test_a_business_is_saved_and_its_job_told(self, editor: APIClient, staff: User) -> None:
        response = editor.post(URL, values(latitude=47.9, longitude=106.9, price_level=2))

        assert response.status_code == 201
        body = response.json()
        assert body.keys() == FIELDS | {"embedding_job"}
        assert (body["latitude"], body["price_level"], body["status"]) == (47.9, 2, "published")
        business = Business.objects.get(pk=UUID(body["id"]))
        [job] = jobs_of(business)
        assert body["embedding_job"]["id"] == str(job.id)
        assert body["embedding_job"]["status"] == "queued"
        assert body["embedding_job"]["message"]
        assert (job.metadata["triggered_by"], job.metadata["source"]) == (staff.username, "api")
        assert response["Location"] == f"{URL}/{business.pk}"

    def test_only_name_category_and_address_are_required(self, editor: APIClient) -> None:
        assert fields_of(editor.post(URL, {})).keys() == {"name", "category", "address"}
        assert editor.post(URL, values()).status_code == 201

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", "   "),
            ("name", None),
            ("name", ["a"]),
            ("name", "x" * 201),
            ("name", "a\x00b"),
            ("name", "\x1b[31m"),
            ("name", "\ud800"),
            ("description", "ө" * 20_001),
            ("description", "ө" * 100_000),
            ("external_id", "\x01"),
            ("external_id", "\ud800"),
            ("external_id", "x" * 201),
            ("email", "nope"),
            ("email", "\ud800@x.mn"),
            ("website", "javascript://alert(1)"),
            ("website", "../../etc/passwd"),
            ("latitude", 91),
            ("latitude", "NaN"),
            ("latitude", 10**400),
            ("longitude", "Infinity"),
            ("price_level", 0),
            ("price_level", 2.5),
            ("price_level", "9" * 5000),
            ("offers_online", "perhaps"),
            ("status", "gone"),
            ("status", "\ud800"),
        ],
    )
    def test_a_wrong_value_is_named_and_nothing_is_saved(self, editor: APIClient, field: str, value: Any) -> None:
        body = json.dumps(values(latitude=1, longitude=1) | {field: value})

        response = editor.post(URL, body, content_type="application/json")

        assert fields_of(response).keys() == {field}
        assert not Business.objects.exists()
        assert not JobExecution.objects.exists()

    def test_half_a_position_is_refused_at_the_missing_half(self, editor: APIClient) -> None:
        assert fields_of(editor.post(URL, values(latitude=47.9))).keys() == {"longitude"}

    def test_an_external_id_that_is_taken_is_refused(self, editor: APIClient, make_business: MakeBusiness) -> None:
        make_business(external_id="a")

        response = editor.post(URL, values(external_id="a"))

        assert fields_of(response) == {"external_id": ["Another business has this external id."]}
        assert Business.objects.count() == 1

    @pytest.mark.parametrize("body", ["{", "[1]", '"text"', "null", "\xff"])
    def test_a_body_that_is_no_object_is_refused(self, editor: APIClient, body: str) -> None:
        response = editor.post(URL, body.encode("latin-1"), content_type="application/json")

        assert response.status_code == 400
        assert response.json()["error"]["code"]

    def test_text_is_cleaned(self, editor: APIClient) -> None:
        body = editor.post(URL, values(name=" Cafe\u0301 ", website="www.nomin.mn", description="a\r\nb")).json()

        assert (body["name"], body["website"], body["description"]) == ("Café", "https://www.nomin.mn", "a\nb")

    def test_markup_formulas_and_emoji_are_text(self, editor: APIClient) -> None:
        name = "<script>alert(1)</script> =cmd|' /C calc'!A0 😀 ‏ ../"

        assert editor.post(URL, values(name=name)).json()["name"] == name

    @pytest.mark.parametrize("field", ["id", "created_at", "updated_at", "text_hash"])
    def test_what_the_system_writes_can_not_be_given(self, editor: APIClient, field: str) -> None:
        given = str(uuid4())

        body = editor.post(URL, values(**{field: given})).json()

        assert body.get(field) != given

    @pytest.mark.parametrize("user", ["nobody", "member"])
    def test_only_staff_writes(self, visitor: APIClient, make_business: MakeBusiness, user: str) -> None:
        business = make_business()
        if user == "member":
            visitor.force_authenticate(User.objects.create_user("member"))

        refusals = [
            visitor.post(URL, values()),
            visitor.patch(f"{URL}/{business.pk}", {"phone": "1"}),
            visitor.put(f"{URL}/{business.pk}", values()),
            visitor.delete(f"{URL}/{business.pk}"),
        ]

        assert {response.status_code for response in refusals} == {401 if user == "nobody" else 403}
        assert Business.objects.get().updated_at == business.updated_at

    @pytest.mark.django_db(transaction=True)
    def test_takes_a_row_a_job_and_its_words_and_nothing_else(
        self, editor: APIClient, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        # BEGIN, the business, its job, the row and its words for search, COMMIT, new words.
        with django_assert_num_queries(7):
            editor.post(URL, values(external_id="a", latitude=1, longitude=1))


class TestList:
    def test_visitors_see_what_is_published_and_staff_everything(
        self, visitor: APIClient, editor: APIClient, make_business: MakeBusiness
    ) -> None:
        for status in ["draft", "pending", "published", "unpublished"]:
            make_business(name=status, status=status)

        assert names(visitor.get(URL)) == ["published"]
        assert names(visitor.get(URL, {"status": "draft"})) == []
        assert names(editor.get(URL)) == ["draft", "pending", "published", "unpublished"]
        assert names(editor.get(URL, {"status": "draft"})) == ["draft"]

    def test_a_business_is_shown_with_all_its_fields(self, visitor: APIClient, make_business: MakeBusiness) -> None:
        make_business()

        [business] = visitor.get(URL).json()["results"]

        assert business.keys() == FIELDS

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"category": "Hotel"}, ["Alpha"]),
            ({"city": "Дархан"}, ["Alpha", "Бета"]),
            ({"city": "Дархан", "category": "Hotel"}, ["Alpha"]),
            ({"price_level": "3"}, ["Alpha"]),
            ({"offers_online": "true"}, ["Бета"]),
            ({"category": "' OR 1=1 --"}, []),
            ({"q": "alp"}, ["Alpha"]),
            ({"q": "БЕТ"}, ["Бета"]),
            ({"q": "ета"}, ["Бета"]),
            ({"q": "ӨГӨӨ үсчин"}, ["Гоо Өгөөмөр Үсчин"]),
            ({"q": "үсчин гоо"}, ["Гоо Өгөөмөр Үсчин"]),
            ({"q": "cafe\u0301"}, ["Zeta Café"]),
            ({"q": "%"}, []),
            ({"q": "_"}, []),
            ({"q": "\\"}, []),
        ],
    )
    def test_filters(
        self, visitor: APIClient, make_business: MakeBusiness, query: dict[str, str], found: list[str]
    ) -> None:
        make_business(name="Alpha", category="Hotel", city="Дархан", price_level=3)
        make_business(name="Бета", city="Дархан", offers_online=True)
        make_business(name="Гоо Өгөөмөр Үсчин")
        make_business(name="Zeta Café")

        assert names(visitor.get(URL, query)) == found

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"price_level": "5"}, "price_level"),
            ({"price_level": "9" * 5000}, "price_level"),
            ({"status": "gone"}, "status"),
            ({"q": "a\x00"}, "q"),
            ({"category": "\x00"}, "category"),
            ({"q": "x" * 201}, "q"),
        ],
    )
    def test_a_wrong_filter_is_named(self, visitor: APIClient, query: dict[str, str], field: str) -> None:
        assert fields_of(visitor.get(URL, query)).keys() == {field}

    @pytest.mark.parametrize(
        ("ordering", "found"),
        [
            ("", ["a", "b", "c"]),
            ("-name", ["c", "b", "a"]),
            ("created_at", ["b", "a", "c"]),
            ("-created_at", ["c", "a", "b"]),
        ],
    )
    def test_order(self, visitor: APIClient, make_business: MakeBusiness, ordering: str, found: list[str]) -> None:
        for name in "bac":
            make_business(name=name)

        assert names(visitor.get(URL, {"ordering": ordering})) == found

    @pytest.mark.parametrize("ordering", ["name", "-name", "created_at"])
    def test_pages_show_every_business_once_even_with_equal_names(
        self, visitor: APIClient, make_business: MakeBusiness, ordering: str
    ) -> None:
        made = {str(make_business(name=name).pk) for name in "aaaaaabbbc"}

        seen: list[str] = []
        url: str | None = f"{URL}?{urlencode({'page_size': 3, 'ordering': ordering})}"
        while url:
            page = visitor.get(url).json()
            seen += [business["id"] for business in page["results"]]
            url = page["next"]

        assert len(seen) == 10
        assert set(seen) == made

    def test_a_page_takes_one_query_whatever_its_size(
        self, visitor: APIClient, make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            make_business(name=str(number))

        with django_assert_num_queries(1):
            assert len(names(visitor.get(URL))) == 20


class TestOne:
    def test_a_published_business_is_shown_to_everybody(self, visitor: APIClient, make_business: MakeBusiness) -> None:
        business = make_business()

        response = visitor.get(f"{URL}/{business.pk}")

        assert response.status_code == 200
        assert response.json().keys() == FIELDS | {"embedding"}
        assert response.json()["embedding"] is None
        assert visitor.get(f"{URL}/{business.pk}/").json() == response.json()

    @pytest.mark.parametrize("status", ["draft", "pending", "unpublished"])
    def test_any_other_is_shown_to_staff_only(
        self, visitor: APIClient, editor: APIClient, make_business: MakeBusiness, status: str
    ) -> None:
        business = make_business(status=status)

        assert visitor.get(f"{URL}/{business.pk}").status_code == 404
        assert editor.get(f"{URL}/{business.pk}").status_code == 200

    @pytest.mark.parametrize("id", [str(NOBODY), "1", "..%2f", "%00", "x" * 500])
    def test_an_id_of_nothing_is_404_for_every_method(self, editor: APIClient, id: str) -> None:
        answers = [
            editor.get(f"{URL}/{id}"),
            editor.patch(f"{URL}/{id}", {"phone": "1"}),
            editor.put(f"{URL}/{id}", values()),
            editor.delete(f"{URL}/{id}"),
        ]

        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["error"]["code"] for answer in answers} == {"not_found"}


class TestUpdate:
    def test_a_patch_of_the_text_tells_the_job(self, editor: APIClient, make_business: MakeBusiness) -> None:
        business = make_business(phone="1")

        body = editor.patch(f"{URL}/{business.pk}", {"description": "Шинэ"}).json()

        [job] = jobs_of(business)
        assert body["embedding_job"]["id"] == str(job.id)
        assert (body["description"], body["phone"]) == ("Шинэ", "1")

    def test_a_patch_of_anything_else_makes_no_job(self, editor: APIClient, make_business: MakeBusiness) -> None:
        business = make_business()

        body = editor.patch(f"{URL}/{business.pk}", {"phone": "2", "name": business.name}).json()

        assert (body["phone"], body["embedding_job"]) == ("2", None)
        assert jobs_of(business) == []

    def test_an_empty_patch_changes_nothing(self, editor: APIClient, make_business: MakeBusiness) -> None:
        business = make_business()

        assert editor.patch(f"{URL}/{business.pk}", {}).json()["embedding_job"] is None
        assert Business.objects.get().updated_at == business.updated_at

    @pytest.mark.parametrize(
        ("given", "field"), [({"name": ""}, "name"), ({"latitude": None}, "latitude"), ({"status": "gone"}, "status")]
    )
    def test_a_wrong_value_is_named(
        self, editor: APIClient, make_business: MakeBusiness, given: dict[str, Any], field: str
    ) -> None:
        business = make_business(latitude=1.0, longitude=1.0)

        assert fields_of(editor.patch(f"{URL}/{business.pk}", given)).keys() == {field}

    def test_a_put_needs_the_required_fields(self, editor: APIClient, make_business: MakeBusiness) -> None:
        business = make_business()

        assert fields_of(editor.put(f"{URL}/{business.pk}", {"name": "A"})).keys() == {"category", "address"}
        body = editor.put(f"{URL}/{business.pk}", values(name="Шинэ нэр")).json()
        assert (body["name"], body["embedding_job"]["status"]) == ("Шинэ нэр", "queued")

    def test_an_external_id_that_is_taken_is_refused(self, editor: APIClient, make_business: MakeBusiness) -> None:
        make_business(external_id="a")
        business = make_business()

        assert fields_of(editor.patch(f"{URL}/{business.pk}", {"external_id": "a"})).keys() == {"external_id"}

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(("given", "queries"), [({"phone": "2"}, 4), ({"description": "New"}, 9), ({}, 3)])
    def test_a_patch_takes_few_queries(
        self,
        editor: APIClient,
        make_business: MakeBusiness,
        django_assert_num_queries: DjangoAssertNumQueries,
        given: dict[str, Any],
        queries: int,
    ) -> None:
        business = make_business()

        # BEGIN, the locked row, the change, its job, what search needs of a new text, COMMIT.
        with django_assert_num_queries(queries):
            editor.patch(f"{URL}/{business.pk}", given)


def test_a_deleted_business_is_gone_with_its_waiting_job(editor: APIClient, make_business: MakeBusiness) -> None:
    business = make_business(jobs=True)

    response = editor.delete(f"{URL}/{business.pk}")

    assert (response.status_code, response.content) == (204, b"")
    assert not Business.objects.exists()
    assert [job.status for job in jobs_of(business)] == ["cancelled"]
    assert editor.delete(f"{URL}/{business.pk}").status_code == 404


def test_reads_and_writes_are_throttled_apart(
    editor: APIClient, make_business: MakeBusiness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.api.throttling import FailOpenThrottle

    cache.clear()
    monkeypatch.setattr(FailOpenThrottle, "THROTTLE_RATES", {"public": "1/min", "writes": "2/min"})

    assert editor.get(URL).status_code == 200
    assert editor.get(URL).status_code == 429
    assert editor.post(URL, values()).status_code == 201
    cache.clear()
