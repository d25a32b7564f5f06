"""Feeds, and documents whatever they are."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yellowbook.catalogue.extract.feeds import columns
from yellowbook.catalogue.extract.item import LONGEST, Extraction, Item
from yellowbook.catalogue.extract.read import extract

AT = "https://shop.mn/feed"
RECORD = {"id": 7, "name": "Хаан", "category": "Ресторан", "address": "Хаяг 1", "phone": "99112233"}


def read(value: Any, content_type: str = "application/json") -> Extraction:
    return extract(value if isinstance(value, bytes) else json.dumps(value).encode(), AT, content_type)


def told(item: Item) -> tuple[str, ...]:
    return item.external_id, item.name, item.category, item.address, item.phone


EXPECTED = ("shop.mn:7", "Хаан", "Ресторан", "Хаяг 1", "+976 9911-2233")


@pytest.mark.parametrize(
    "feed",
    [
        [RECORD],
        {"results": [RECORD], "next": None},
        {"data": {"items": [RECORD], "total": 1}},
        {"whatever": [RECORD], "tags": ["a", "b", "c"]},
        {"@context": "/contexts/x", "hydra:member": [RECORD]},
        RECORD,
        {"status": "ok", "list": [None, 5, "x", RECORD]},
        [{"ID": "7", "Нэр": "Хаан", "Ангилал": ["Ресторан"], "Хаяг": "Хаяг 1", "Утасны дугаар": 99112233}],
        [
            {
                "uid": 7,
                "Business Name": "Хаан",
                "type": "Ресторан",
                "full-address": "Хаяг 1",
                "contact": {"tel": "99112233"},
            }
        ],
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": RECORD, "geometry": None}]},
    ],
)
def test_a_json_feed_is_read_under_the_names_that_people_use(feed):
    assert [told(item) for item in read(feed).items] == [EXPECTED]


def test_geojson_gives_positions():
    def feature(number: int, geometry: Any) -> dict[str, Any]:
        return {"type": "Feature", "id": f"node/{number}", "properties": {"name": f"N{number}", "amenity": "cafe"},
                "geometry": geometry}  # fmt: skip

    found = read(
        {"type": "FeatureCollection", "features": [
            feature(1, {"type": "Point", "coordinates": [106.9, 47.9, 1300]}),
            feature(2, {"type": "Polygon", "coordinates": [[[106, 47], [107, 47], [107, 48], [106, 48], [106, 47]]]}),
            feature(3, {"type": "Point", "coordinates": []}),
            feature(4, {"type": "Point", "coordinates": ["x", None]}),
        ]},
        "application/geo+json",
    )  # fmt: skip

    assert [(item.external_id, item.latitude, item.longitude, item.category) for item in found.items] == [
        ("shop.mn:node/1", 47.9, 106.9, "cafe"),
        ("shop.mn:node/2", 47.5, 106.5, "cafe"),
        ("shop.mn:node/3", None, None, "cafe"),
        ("shop.mn:node/4", None, None, "cafe"),
    ]


def test_parts_of_an_address_are_put_together_and_the_city_is_kept():
    found = read([
        {"name": "A", "street": "Гудамж 3", "city": "Дархан"},
        {"name": "B", "address": {"streetAddress": "Гудамж 4", "addressLocality": "Эрдэнэт"}},
        {"name": "C", "address": "Дархан, Гудамж 5", "city": "Дархан", "location": {"lat": 49.4, "lng": "105.9"}},
    ]).items  # fmt: skip

    assert [(item.address, item.city) for item in found] == [
        ("Дархан, Гудамж 3", "Дархан"),
        ("Эрдэнэт, Гудамж 4", "Эрдэнэт"),
        ("Дархан, Гудамж 5", "Дархан"),
    ]
    assert (found[2].latitude, found[2].longitude) == (49.4, 105.9)


@pytest.mark.parametrize(
    "text",
    [
        "id,name,category,address,phone\n7,Хаан,Ресторан,Хаяг 1,99112233\n",
        "ID;Нэр;Ангилал;Хаяг;Утас\r\n7;Хаан;Ресторан;Хаяг 1;99112233\r\n",
        "\ufeffid\tname\tcategory\taddress\tphone\tother\n\n7\tХаан\tРесторан\tХаяг 1\t9911-2233\tx",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "utf-16"])
def test_a_table_is_read_under_the_names_that_people_use(text, encoding):
    text = text if encoding == "utf-8" else text.removeprefix("\ufeff")
    named = "text/csv" if encoding == "utf-16" else f"text/csv; charset={encoding}"

    assert [told(item) for item in read(text.encode(encoding), named).items] == [EXPECTED]


def test_lines_that_can_not_be_read_are_told_and_cost_only_themselves():
    found = read(b'name,address\n"A,x\nB,y,z\nC,\xd1\x85\n', "text/csv")

    assert [item.name for item in found.items] == ["C"]
    assert [problem.partition(":")[0] for problem in found.problems] == ["Line 2", "Line 3"]


@pytest.mark.parametrize(
    "feed",
    [
        {"results": [], "next": "/feed?page=2"},
        {"results": [], "links": {"next": "https://shop.mn/feed?page=2"}},
        {"results": [], "_links": {"next": {"href": "?page=2"}}},
        {"hydra:member": [], "hydra:view": {"hydra:next": "/feed?page=2"}},
    ],
)
def test_the_next_page_of_a_feed_is_followed(feed):
    assert read(feed).next_pages == ["https://shop.mn/feed?page=2"]


def test_a_feed_that_is_none_is_told():
    assert read(b"{nonsense", "application/json").items == []
    assert read(b"oops", "application/json").problems == ["The document is no JSON that can be read."]
    assert read(b"", "text/csv").problems == ["The file is empty."]


def test_columns_say_what_they_are_taken_for():
    assert columns(["Нэр", "Утас", "colour", "addr:street"]) == {
        "Нэр": "name", "Утас": "telephone", "addr:street": "address.streetAddress",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "content_type", "name"),
    [
        ("Хаан".encode("windows-1251"), "text/html; charset=windows-1251", "Хаан"),
        ("Хаан".encode("windows-1251"), "text/html", "Хаан"),
        (b"\xef\xbb\xbf" + "Хаан".encode(), "text/html; charset=windows-1251", "Хаан"),
        ("Хаан".encode("utf-16"), "text/html", "Хаан"),
        ("Хаан".encode(), "text/html; charset=nonsense", "Хаан"),
        ("Хаан".encode(), "text/html; charset=rot13", "Хаан"),
        ("Хаан".encode(), "", "Хаан"),
    ],
)
def test_text_is_decoded_by_what_is_known_of_it(body, content_type, name):
    encoding = "utf-16-le" if body.startswith(b"\xff\xfe") else "latin-1"
    before = '<script type="application/ld+json">{"@type": "Hotel", "name": "'.encode(encoding)
    mark = b"\xef\xbb\xbf" if body.startswith(b"\xef\xbb\xbf") else b"\xff\xfe" if body.startswith(b"\xff\xfe") else b""

    found = extract(mark + before + body.removeprefix(mark) + '"}</script>'.encode(encoding), AT, content_type)

    assert [item.name for item in found.items] == [name]


BEGINNINGS = st.sampled_from([
    b"", b'<script type="application/ld+json">', b'<script type="application/ld+json">{"@type":"Hotel","name":',
    b'<p itemscope itemtype="http://schema.org/Hotel">', b'<p vocab="http://schema.org/" typeof="Hotel">',
    b"name,address\n",
    b'[{"name":', b'{"type":"FeatureCollection","features":[', b"\xff\xfe", b'<meta charset="',
])  # fmt: skip
TYPES = st.sampled_from(
    ["", "text/html", "application/json", "text/csv", "text/html; charset=utf-7", "text/plain; charset=idna", "\x00;"]
)
TOKENS = [b"<p itemprop=name>", b"<b property=name>", b'"@graph":[', b"{", b"}", b'"name":"x",', b"\\", b'"']
PIECES = st.lists(st.binary(max_size=20) | st.sampled_from(TOKENS))


@settings(max_examples=150)
@given(BEGINNINGS, PIECES, TYPES, st.sampled_from([AT, "https://shop.mn/x.csv", "", "http://[", "no url"]))
@example(b"[", [b"[" * 50_000], "application/json", AT)
@example(b'<script type="application/ld+json">', [b'{"a":[' * 20_000], "text/html", AT)
def test_no_bytes_break_it_and_what_is_read_fits(beginning, pieces, content_type, url):
    found = extract(beginning + b"".join(pieces), url, content_type)

    for item in found.items:
        assert item.name
        assert item.external_id
        assert len(item.content_hash()) == 64
        assert all(len(getattr(item, name)) <= most for name, most in LONGEST.items())
