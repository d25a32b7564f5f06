import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from pytest_django import DjangoAssertNumQueries

from jobs.actor import acting_as
from jobs.models import JobExecution
from jobs.states import Priority
from tests.concurrency import at_once
from yellowbook.directory import importer
from yellowbook.directory.importer import Report, TooManyRows, import_file
from yellowbook.directory.models import Business
from yellowbook.directory.parsers import UnreadableFile

from .conftest import MakeBusiness, jobs_of, values

pytestmark = pytest.mark.django_db


def from_rows(*rows: dict[str, Any], **options: Any) -> Report:
    """Import rows as JSON lines, which may each have other columns."""
    data = "".join(json.dumps(row) + "\n" for row in rows)
    return import_file(io.BytesIO(data.encode()), "jsonl", **options)


def from_csv(text: str, **options: Any) -> Report:
    return import_file(io.BytesIO(text.encode()), "csv", **options)


def counts(report: Report) -> dict[str, int]:
    named = {name: getattr(report, name) for name in ("created", "updated", "unchanged", "duplicates")}
    return {name: count for name, count in {**named, "rejected": len(report.rejected)}.items() if count}


def test_new_businesses_are_added_with_their_jobs() -> None:
    with acting_as("tsetseg", "api"):
        report = from_csv("name,category,address,city\nНомин,Ресторан,Гудамж 1,Дархан\nNomin,Hotel,Street 2,\n")

    assert counts(report) == {"created": 2}
    first, _second = Business.objects.order_by("-name")
    assert (first.name, first.city, first.status) == ("Номин", "Дархан", "published")
    [job] = jobs_of(first)
    assert (job.operation, job.priority) == ("bulk", Priority.LOW)
    assert job.metadata["original_name"] == "Номин"
    assert (job.metadata["triggered_by"], job.metadata["source"]) == ("tsetseg", "api")
    assert JobExecution.objects.count() == 2


def test_importing_a_file_again_changes_nothing_and_costs_no_job() -> None:
    rows = [values(external_id="a"), values(name="Another")]
    from_rows(*rows)
    before = {business.pk: business.updated_at for business in Business.objects.all()}
    JobExecution.objects.all().delete()

    report = from_rows(*rows)

    assert counts(report) == {"unchanged": 2}
    assert {business.pk: business.updated_at for business in Business.objects.all()} == before
    assert not JobExecution.objects.exists()


def test_a_business_is_known_by_its_external_id(make_business: MakeBusiness) -> None:
    business = make_business(external_id="a", phone="1", city="Дархан")

    report = from_rows({"external_id": "a", "name": "Renamed", "phone": ""})

    assert counts(report) == {"updated": 1}
    business.refresh_from_db()
    assert (business.name, business.phone, business.city) == ("Renamed", "", "Дархан")
    assert business.updated_at > business.created_at


def test_without_an_external_id_it_is_known_by_name_and_address(make_business: MakeBusiness) -> None:
    business = make_business(external_id="a")

    report = from_rows(values(phone="2"))

    assert counts(report) == {"updated": 1}
    business.refresh_from_db()
    assert (business.external_id, business.phone) == ("a", "2")


def test_an_external_id_does_not_match_by_name_and_address(make_business: MakeBusiness) -> None:
    make_business()

    assert counts(from_rows(values(external_id="new"))) == {"created": 1}


def test_the_oldest_of_several_with_one_name_and_address_is_meant(make_business: MakeBusiness) -> None:
    oldest = make_business()
    make_business()

    from_rows(values(phone="2"))

    assert Business.objects.get(phone="2") == oldest


def test_the_same_name_elsewhere_is_another_business(make_business: MakeBusiness) -> None:
    make_business(name="Номин", address="A")
    make_business(name="Other", address="B")

    assert counts(from_rows(values(name="Номин", address="B"))) == {"created": 1}


def test_only_a_changed_text_makes_a_job(make_business: MakeBusiness) -> None:
    silent, loud = make_business(external_id="silent"), make_business(external_id="loud")

    report = from_rows(
        {"external_id": "silent", "phone": "2", "status": "draft"}, {"external_id": "loud", "description": "New"}
    )

    assert counts(report) == {"updated": 2}
    assert jobs_of(silent) == []
    assert len(jobs_of(loud)) == 1


def test_the_stored_hash_follows_the_import(make_business: MakeBusiness) -> None:
    business = make_business(external_id="a")
    before = business.text_hash

    from_rows({"external_id": "a", "description": "New"})

    business.refresh_from_db()
    assert business.text_hash != before


def test_of_two_rows_about_one_business_the_later_one_wins() -> None:
    report = from_rows(
        {"external_id": "a", **values(phone="1")},
        {"external_id": "a", **values(phone="2", city="Дархан")},
        {"external_id": "a", "phone": "3"},
    )

    assert counts(report) == {"created": 1, "duplicates": 2}
    assert Business.objects.values_list("phone", "city").get() == ("3", "Дархан")
    assert JobExecution.objects.count() == 1


def test_rows_that_name_one_business_in_two_ways_are_about_one_business() -> None:
    report = from_rows(values(external_id="a", phone="1"), values(phone="2"))

    assert counts(report) == {"created": 1, "duplicates": 1}
    assert Business.objects.values_list("external_id", "phone").get() == ("a", "2")


def test_a_row_finds_a_business_under_the_name_that_an_earlier_row_gave_it(make_business: MakeBusiness) -> None:
    make_business(external_id="a", name="Old")

    report = from_rows(
        {"external_id": "a", "name": "New"}, values(name="New", phone="2"), values(name="Old", phone="3")
    )

    assert counts(report) == {"updated": 1, "duplicates": 1, "created": 1}
    assert set(Business.objects.values_list("name", "phone")) == {("New", "2"), ("Old", "3")}


def test_a_business_met_in_several_chunks_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK_ROWS", 2)
    rows = [values(name=name, phone=str(number)) for number, name in enumerate("abacaad")]

    report = from_rows(*rows)

    assert counts(report) == {"created": 4, "duplicates": 3}
    assert Business.objects.get(name="a").phone == "5"


def test_bad_rows_are_named_and_good_ones_written() -> None:
    report = from_csv(
        "name,category,address,email,latitude,longitude\n"
        "Good,Hotel,Street 1,,,\n"
        ",Hotel,Street 2,x,,\n"
        '"Broken,Hotel,Street 3,,,\n'
        "Half,Hotel,Street 4,,47.9,\n"
        "New,,Street 5,,,\n"
        "Last,Hotel,Street 6,,,\n"
    )

    assert counts(report) == {"created": 2, "rejected": 4}
    assert [(rejection.line, list(rejection.errors)) for rejection in report.rejected] == [
        (3, ["name", "email"]),
        (4, ["row"]),
        (5, ["longitude"]),
        (6, ["category"]),
    ]
    assert set(Business.objects.values_list("name", flat=True)) == {"Good", "Last"}
    assert report.rows == 6


def test_a_new_business_needs_what_every_business_needs() -> None:
    report = from_rows({"external_id": "a", "phone": "1"})

    assert [rejection.errors.keys() for rejection in report.rejected] == [{"name", "category", "address"}]


def test_half_a_position_is_judged_with_what_is_stored(make_business: MakeBusiness) -> None:
    make_business(external_id="a", latitude=1.0, longitude=2.0)

    report = from_rows(
        {"external_id": "a", "latitude": None},
        {"external_id": "a", "latitude": 3.0},
        {"external_id": "a", "phone": "9"},
    )

    assert counts(report) == {"updated": 1, "duplicates": 1, "rejected": 1}
    assert Business.objects.values_list("latitude", "longitude", "phone").get() == (3.0, 2.0, "9")


def test_columns_without_meaning_are_ignored_and_told() -> None:
    assert from_csv("name,category,address,id,adress,\na,b,c,1,2,3\n").ignored_columns == {"id", "adress"}
    assert from_rows(values(id="x"), values(rating=5)).ignored_columns == {"id", "rating"}


def test_of_many_columns_without_meaning_some_are_told_in_a_form_that_can_be_shown() -> None:
    report = from_rows(values(**{f"{n}\ud800" + "x" * 500: 1 for n in range(500)}))

    assert len(report.ignored_columns) == 20
    assert all(len(column) < 70 and column.isascii() for column in report.ignored_columns)


def test_a_header_alone_is_an_empty_import() -> None:
    assert counts(from_csv("name,category,address\n")) == {}


def test_a_header_that_names_no_business_stops_the_import() -> None:
    with pytest.raises(UnreadableFile):
        from_csv("a,b\n1,2\n")


def test_a_dry_run_tells_the_same_and_writes_nothing(
    make_business: MakeBusiness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK_ROWS", 2)
    make_business(external_id="a")
    rows = [{"external_id": "a", "phone": "2"}, values(name="b"), {"name": ""}, values(name="b"), values(name="c")]

    tried = from_rows(*rows, dry_run=True)

    assert Business.objects.values_list("external_id", "phone").get() == ("a", "")
    assert not JobExecution.objects.exists()
    assert counts(tried) == counts(from_rows(*rows))


def test_more_rows_than_allowed_are_refused_before_anything_is_written(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0), pytest.raises(TooManyRows, match="more than 2 rows"):
        from_rows(values(name="a"), values(name="b"), values(name="c"), max_rows=2)

    assert counts(from_rows(values(name="a"), values(name="b"), max_rows=2)) == {"created": 2}


def test_progress_is_told_after_each_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK_ROWS", 2)
    seen: list[int] = []

    from_rows(*[values(name=str(n)) for n in range(5)], on_chunk=lambda report: seen.append(report.rows))

    assert seen == [2, 4, 5]


@pytest.mark.parametrize("rows", [1, 300])
def test_a_chunk_takes_the_same_few_queries_for_any_number_of_rows(
    rows: int, make_business: MakeBusiness, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_business(external_id="0")
    given = [values(external_id=str(n), description="New") for n in range(rows)]

    # The turn, the known businesses, the rows, the marks for what is computed of them, their words for search (2),
    # what neighbours are narrowed by, their jobs; a savepoint around them since the test is a transaction.
    with django_assert_num_queries(11):
        from_rows(*given)


def breaking_in_the_second_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the database fail once the first business is written."""
    write_once = importer._write_once

    def faulty(rows: Any) -> Any:
        if Business.objects.exists():
            raise OperationalError("gone")
        return write_once(rows)

    monkeypatch.setattr(importer, "CHUNK_ROWS", 1)
    monkeypatch.setattr(importer, "_write_once", faulty)


def test_a_failure_of_the_database_leaves_nothing_of_an_import_of_limited_size(monkeypatch: pytest.MonkeyPatch) -> None:
    breaking_in_the_second_chunk(monkeypatch)

    with pytest.raises(OperationalError):
        from_rows(values(name="a"), values(name="b"), max_rows=10)

    assert not Business.objects.exists()
    assert not JobExecution.objects.exists()


def test_a_failure_of_the_database_keeps_the_chunks_of_an_import_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    breaking_in_the_second_chunk(monkeypatch)

    with pytest.raises(OperationalError):
        from_rows(values(name="a"), values(name="b"))

    [business] = Business.objects.all()
    assert len(jobs_of(business)) == 1


def failing(error: Exception, *, times: int) -> Callable[..., Any]:
    """Return `_known` with a fault: somebody else adds the businesses right after we looked, `times` times."""
    known, left = importer._known, [times]

    def faulty(rows: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error
        return known(rows)

    return faulty


def external_id_taken() -> IntegrityError:
    """Return the error that the database gives for a second business with one external id."""
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        Business.objects.bulk_create([Business(**values(external_id="x")), Business(**values(external_id="x"))])
    return raised.value


def test_a_business_added_by_others_meanwhile_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "_known", failing(external_id_taken(), times=2))

    assert counts(from_rows(values(external_id="a"))) == {"created": 1}


def test_any_other_refusal_of_the_database_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "_known", failing(IntegrityError("something else"), times=1))

    with pytest.raises(IntegrityError, match="something else"):
        from_rows(values(external_id="a"))


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_add_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK_ROWS", 10)
    out = io.StringIO()
    writer = csv.DictWriter(out, ["name", "category", "address"])
    writer.writeheader()
    writer.writerows(values(name=str(n)) for n in range(100))

    reports = at_once(*[lambda: from_csv(out.getvalue())] * 3)

    assert Business.objects.count() == 100
    assert sum(report.created for report in reports) == 100
    assert JobExecution.objects.count() == 100
