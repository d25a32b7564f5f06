"""What comes from the web is read where it can be ended."""

from datetime import UTC, datetime

import pytest

from jobs.errors import ErrorClass
from yellowbook.catalogue.extract.confined import Unfit, extract_confined
from yellowbook.catalogue.extract.read import extract

PAGE = """<link rel=next href="/2"><script type="application/ld+json">
{"@type": "Restaurant", "name": "Ресторан Хаан", "address": "Хаяг 1", "geo": {"latitude": 47.9, "longitude": 106.9},}
</script>""".encode()


def test_it_reads_what_reading_in_place_would():
    then = datetime(2026, 1, 2, tzinfo=UTC)

    there = extract_confined(PAGE, "https://shop.mn/", "text/html", fetched_at=then)

    assert there == extract(PAGE, "https://shop.mn/", "text/html", fetched_at=then)
    assert there.items
    assert there.next_pages


def test_a_document_that_keeps_the_parser_busy_is_given_up():
    attributes = b"<div " + b" ".join(b"a%d" % number for number in range(100_000)) + b">"

    with pytest.raises(Unfit, match=r"more than 1 s") as caught:
        extract_confined(attributes, "https://shop.mn/", "text/html", seconds=1)

    assert caught.value.error_class is ErrorClass.INVALID_INPUT


def test_a_document_that_needs_too_much_memory_is_given_up():
    with pytest.raises(Unfit):
        extract_confined(b"<p>x" * 2_000_000, "https://shop.mn/", "text/html", memory=200 * 1024 * 1024)


def test_the_process_gets_none_of_our_environment(monkeypatch):
    monkeypatch.setenv("PYTHONVERBOSE", "x" * 10)
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")

    assert extract_confined(PAGE, "https://shop.mn/").items
