"""What is no business and no import: named, refused, and nothing of it is written."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT
from rest_framework.test import APIClient

from jobs.models import JobExecution, Run
from yellowbook.directory.models import Business

from .conftest import MakeBusiness, values

pytestmark = pytest.mark.django_db

URL = "/api/yellow-books"
IMPORT = f"{URL}/import"
HEADER = "name,category,address,description\n"

#: Texts that look dangerous and are texts all the same.
TEXTS = [
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "../../../etc/passwd",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE directory_business; --",
    "{{ 7 * 7 }} {% debug %} ${7*7} %s %(name)s",
    "👩‍👩‍👧‍👦 🇲🇳",
    "abc‮fed‏ ‎",
    "ﷺ 𝕳𝖊𝖑𝖑𝖔",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
]

WRONG: list[tuple[str, Any]] = [
    ("name", 7),
    ("name", True),
    ("name", {"a": 1}),
    ("name", "\u0085"),
    ("phone", 97677112233),
    ("description", "x" * 100_000),
    ("description", ["a"]),
    ("email", 1),
    ("email", "a@b.mn\nBcc: c@d.mn"),
    ("website", 1),
    ("website", "javascript:alert(1)"),
    ("website", "https://" + "a" * 300 + ".mn"),
    ("latitude", "47.9"),
    ("latitude", True),
    ("latitude", [1]),
    ("latitude", 1e308),
    ("longitude", -180.1),
    ("price_level", "2"),
    ("price_level", True),
    ("price_level", 10**400),
    ("price_level", 1e400),
    ("offers_online", "true"),
    ("offers_online", 1),
    ("offers_online", None),
    ("status", ["published"]),
    ("status", {"published": 1}),
    ("external_id", 5),
    ("external_id", None),
]


def stored() -> tuple[Any, ...]:
    """Return all that a request could have written."""
    businesses = list(Business.objects.order_by("pk").values())
    return businesses, list(JobExecution.objects.order_by("pk").values()), Run.objects.count()


def body_of(given: dict[str, Any]) -> str:
    """Write JSON; a float beyond all floats as the digits that a client could send."""
    return json.dumps(given).replace("Infinity", "1e400")


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: repr(value)[:30])
def test_a_wrong_value_is_named_on_every_way_in_and_nothing_is_written(
    editor: APIClient, make_business: MakeBusiness, field: str, value: Any
) -> None:
    business = make_business(latitude=1.0, longitude=1.0)
    before = stored()
    body = body_of({**values(name="New"), "latitude": 2, "longitude": 2, field: value})

    for method, path in (("post", URL), ("put", f"{URL}/{business.pk}"), ("patch", f"{URL}/{business.pk}")):
        response = editor.generic(method.upper(), path, body, "application/json")

        assert response.status_code == 400, (method, response.content)
        assert response.json()["error"]["fields"].keys() == {field}
    assert stored() == before


@pytest.mark.parametrize("text", TEXTS)
def test_text_that_looks_dangerous_is_kept_as_it_is_on_every_way_in(editor: APIClient, text: str) -> None:
    created = editor.post(URL, values(name=text, description=text)).json()
    patched = editor.patch(f"{URL}/{created['id']}", {"address": text}).json()
    row = values(name=text, description=text, external_id="from a file")
    imported = editor.post(IMPORT, json.dumps(row), content_type="application/x-ndjson").json()

    assert (created["name"], created["description"], patched["address"]) == (text, text, text)
    assert imported["created"] == 1
    assert Business.objects.get(external_id="from a file").name == text


@pytest.mark.parametrize("text", TEXTS)
def test_cells_that_look_like_formulas_are_imported_as_text(editor: APIClient, text: str) -> None:
    quoted = text.replace('"', '""')

    report = editor.post(IMPORT, f'{HEADER}"{quoted}",Cafe,Here,"{quoted}"\n', content_type="text/csv").json()

    assert (report["created"], report["rejected"]) == (1, [])
    assert Business.objects.get().name == text


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ('{"name": "a", "name": "b", "category": "c", "address": "d"}', "row"),
        ('{"name": NaN}', "row"),
        ('{"name": ' + "1" * 5000 + "}", "row"),
        ("[" * 100_000, "row"),
        ('{"name": ' + "[" * 600 + "]" * 600 + "}", "row"),
        ('["a"]', "row"),
        ("null", "row"),
        ('"\\ud800"', "row"),
        ("\x00", "row"),
        (json.dumps(values(offers_online=[[["x"]]])), "offers_online"),
        (json.dumps(values(offers_online={"a": 1})), "offers_online"),
        (json.dumps(values(name=["a"])), "name"),
        (json.dumps(values(name=True)), "name"),
        (json.dumps(values(price_level="1e300")), "price_level"),
        (json.dumps(values(price_level=10**400)), "price_level"),
        (json.dumps(values(latitude="1e400", longitude=1)), "latitude"),
        (json.dumps(values(latitude="nan", longitude=1)), "latitude"),
        (json.dumps(values(description="x" * 100_000)), "description"),
        (json.dumps(values(description="\ud800")), "description"),
        (json.dumps(values(external_id="\x00")), "external_id"),
    ],
    ids=lambda value: value[:30],
)
def test_a_line_that_is_no_business_is_rejected_and_its_neighbours_are_not(
    editor: APIClient, row: str, column: str
) -> None:
    lines = [json.dumps(values(name="before")), row, json.dumps(values(name="after"))]

    report = editor.post(IMPORT, "\n".join(lines), content_type="application/x-ndjson").json()

    assert [(each["row"], *each["errors"]) for each in report["rejected"]] == [(2, column)]
    assert set(Business.objects.values_list("name", flat=True)) == {"before", "after"}


def csv_body(*rows: str) -> bytes:
    return (HEADER + "".join(f"{row}\n" for row in rows)).encode()


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ((HEADER + "a,b,c,d\n").encode("utf-16"), "UTF-8"),
        ((HEADER + "a,b,c,d\n").encode("utf-16-le"), "must name"),
        (b"\x1f\x8b\x08\x00" + b"\x00" * 50, "UTF-8"),
        (b"PK\x03\x04" + b"\x00" * 50, "must name"),
        (b"\x00" * 1000, "must name"),
        (b"\n" * 1000, "empty"),
        (b'"name', "quote"),
        (b"name,address,name\n", "twice"),
        (",".join(f"c{number}" for number in range(100_000)).encode(), "longer than"),
        (",".join(f"{number}" for number in range(60_000)).encode(), "60,000 columns"),
        (b"x" * 5_000_000, "longer than"),
        (b"name,address\n" + b"\n" * 1_200_000, "empty rows"),
        (b"name,address\n" + b",\n" * 1_200_000, "empty rows"),
        (b"\n" * 1_200_000, "empty rows"),
    ],
    ids=lambda value: repr(value[:20]),
)
@pytest.mark.parametrize("as_form", [False, True], ids=["body", "form"])
def test_a_file_that_is_no_table_is_refused_as_a_whole(
    editor: APIClient, body: bytes, part: str, as_form: bool
) -> None:
    if as_form:
        response = editor.post(IMPORT, {"file": SimpleUploadedFile("a.csv", body)}, format="multipart")
    else:
        response = editor.post(IMPORT, body, content_type="text/csv")

    assert response.status_code == 400, response.content
    assert part in response.json()["error"]["message"]
    assert stored() == ([], [], 0)


@pytest.mark.parametrize(
    ("row", "part"),
    [
        (f'a,b,c,"{"x" * 5_000_000}"', "longer than"),
        (f'a,b,c,"{"x" * 200_000}"', "limit"),
        (f"a,b,c,{'x' * 100_000}", "20000"),
        ("," * 500_000, "cells"),
        ('a,b,c,"open', "quote is opened"),
        ("a\x00,b,c,d", "control character"),
        ("a,b,c", "3 cells"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_row_that_is_no_business_is_rejected_and_its_neighbours_are_not(
    editor: APIClient, row: str, part: str
) -> None:
    report = editor.post(IMPORT, csv_body("before,b,c,", row, "after,b,c,"), content_type="text/csv").json()

    [rejected] = report["rejected"] or [{"row": 3, "errors": {}}]
    assert rejected["row"] == 3
    if rejected["errors"]:
        assert part in json.dumps(rejected["errors"])
    assert set(Business.objects.values_list("name", flat=True)) == {"before", "after"}


def test_ten_thousand_rows_are_taken_and_one_more_is_too_many(editor: APIClient) -> None:
    rows = "".join(f"n{number},c,a\n" for number in range(10_000))

    too_many = editor.post(IMPORT, f"name,category,address\n{rows}one,more,row\n", content_type="text/csv")
    nothing = stored()
    taken = editor.post(IMPORT, f"name,category,address\n{rows}", content_type="text/csv")

    assert too_many.status_code == 413
    assert nothing == ([], [], 0)
    assert taken.json()["created"] == Business.objects.count() == JobExecution.objects.count() == 10_000


def form(*parts: tuple[str, str]) -> bytes:
    """Write a form by hand: the headers of each part after `form-data;` and its content."""
    lines = [f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n" for head, content in parts]
    return ("".join(lines) + f"--{BOUNDARY}--\r\n").encode()


GOOD = HEADER + "a,b,c,d\n"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([('name="file"; filename="../../etc/cron.csv"', GOOD)], 202),
        ([('name="file"; filename="a\x00.csv"', GOOD)], 202),
        ([('name="file"; filename="‮vsc.csv"', GOOD)], 202),
        ([('name="file"; filename="a.csv"', GOOD), ('name="file"; filename="b.csv"', GOOD)], 202),
        ([('name="file"', GOOD)], 400),
        ([('name="file"; filename=""', GOOD)], 400),
        ([('name="file"; filename="a.zip"', GOOD)], 400),
        ([('name="other"; filename="a.csv"', GOOD)], 400),
        ([(f'name="f{number}"', "x") for number in range(1001)], 400),
        ([(f'name="f{number}"; filename="a.csv"', "x") for number in range(101)], 400),
        ([('name="text"', "x" * 5_000_000)], 413),
        ([], 400),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_form_is_read_for_its_file_and_for_nothing_else(
    editor: APIClient, parts: list[tuple[str, str]], status: int
) -> None:
    response = editor.post(IMPORT, form(*parts), content_type=MULTIPART_CONTENT)

    assert response.status_code == status, response.content
    assert Business.objects.count() == (status == 202)
    assert ("error" in response.json()) == (status != 202)


@pytest.mark.parametrize(
    "query",
    [
        "offers_online=perhaps",
        "offers_online=2",
        "ordering=nonsense",
        "ordering=-description",
        "page_size=0",
        "page_size=501",
        "page_size=x",
        "status=gone",
        "price_level=2.0",
        "q=%00",
        "city=%00",
        "category=" + "x" * 101,
    ],
)
def test_a_wrong_parameter_is_named_instead_of_being_ignored(visitor: APIClient, query: str) -> None:
    response = visitor.get(f"{URL}?{query}")

    assert response.status_code == 400, response.content
    assert response.json()["error"]["fields"].keys() == {query.partition("=")[0]}


@pytest.mark.parametrize(
    "query",
    ["q=%ED%A0%80", "q=%FF", "city=%E2%80%AE", "q=" + "%25" * 60, "offers_online=TRUE", "unknown=1", "q=&city="],
)
def test_an_odd_parameter_is_no_error(visitor: APIClient, query: str) -> None:
    assert visitor.get(f"{URL}?{query}").status_code == 200


@pytest.mark.parametrize("length", ["abc", "-1"])
def test_a_length_that_is_none_is_no_server_error(editor: APIClient, length: str) -> None:
    for path, media_type in ((URL, "application/json"), (IMPORT, "text/csv")):
        response = editor.post(path, b"{}", content_type=media_type, CONTENT_LENGTH=length)

        assert response.status_code in {400, 413}, response.content
        assert response.json()["error"]["code"]
    assert stored() == ([], [], 0)
