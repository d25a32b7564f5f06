"""Sitemaps: lists, lists of lists, and what pretends to be one."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import JobError
from yellowbook.catalogue.fetch.errors import Failed, TooLarge
from yellowbook.catalogue.fetch.limits import Limits
from yellowbook.catalogue.fetch.sitemap import Page, parse_sitemap, read_sitemaps

AT = "https://shop.mn/sitemap.xml"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE urlset [
 <!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
 <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
]>
<urlset><url><loc>https://shop.mn/&e;</loc></url></urlset>"""
OUTSIDE = b"""<?xml version="1.0"?>
<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<urlset><url><loc>https://shop.mn/&x;</loc></url></urlset>"""


def urlset(*entries: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {NS}>{"".join(entries)}</urlset>'.encode()


def entry(location: str, changed: str = "") -> str:
    return f"<url><loc> {location}\n</loc>{changed and f'<lastmod>{changed}</lastmod>'}</url>"


def index(*locations: str) -> bytes:
    inside = "".join(f"<sitemap><loc>{each}</loc></sitemap>" for each in locations)
    return f"<sitemapindex {NS}>{inside}</sitemapindex>".encode()


def test_pages_come_in_order_each_once_with_the_time_of_their_change():
    body = urlset(
        entry("https://shop.mn/a", "2026-01-02"),
        entry("https://www.shop.mn/b", "2026-01-02T03:04:05+08:00"),
        entry("https://shop.mn/a"),
        entry("/c?x=1&amp;y=2", "yesterday"),
    )

    found = parse_sitemap(body, AT)

    assert found.pages == [
        Page("https://shop.mn/a", "2026-01-02"),
        Page("https://www.shop.mn/b", "2026-01-02T03:04:05+08:00"),
        Page("https://shop.mn/c?x=1&y=2"),
    ]
    assert (found.sitemaps, found.problems) == ([], [])


def test_addresses_of_other_sites_are_left_out_and_counted():
    found = parse_sitemap(urlset(entry("https://other.mn/"), entry("javascript:x"), entry("https://shop.mn/")), AT)

    assert [page.url for page in found.pages] == ["https://shop.mn/"]
    assert found.problems == [f"{AT}: 2 addresses of other sites are left out."]


def test_extensions_are_passed_over():
    image = '<image:image xmlns:image="http://x"><image:loc>https://shop.mn/photo.jpg</image:loc></image:image>'

    found = parse_sitemap(urlset(f"<url><loc>https://shop.mn/a</loc>{image}</url>"), AT)

    assert [page.url for page in found.pages] == ["https://shop.mn/a"]


@pytest.mark.parametrize("body", [LAUGHS, OUTSIDE], ids=["entities in entities", "a file"])
def test_a_document_type_is_refused_and_its_entities_never_expanded(body):
    found = parse_sitemap(body, AT)

    assert found.pages == []
    assert "document type" in found.problems[0]


def test_a_file_that_breaks_off_is_read_up_to_there():
    found = parse_sitemap(urlset(entry("https://shop.mn/a"), entry("https://shop.mn/b"))[:-40], AT)

    assert [page.url for page in found.pages] == ["https://shop.mn/a"]
    assert "breaks off" in found.problems[0]


def test_entries_beyond_the_limit_are_left_out():
    found = parse_sitemap(urlset(*(entry(f"/{number}") for number in range(20))), AT, most=10)

    assert len(found.pages) == 10
    assert "more than 10 entries" in found.problems[0]


def test_a_list_of_lines_is_a_sitemap_too():
    found = parse_sitemap("\ufeffhttps://shop.mn/a\r\n\r\nhttps://shop.mn/ө\nnonsense\n".encode(), AT)

    assert [page.url for page in found.pages] == ["https://shop.mn/a", "https://shop.mn/ө"]


def test_a_packed_file_is_unpacked_within_the_limits():
    packed = gzip.compress(urlset(*(entry(f"/{number}") for number in range(1000))))

    assert len(parse_sitemap(packed, AT + ".gz").pages) == 1000
    with pytest.raises(TooLarge):
        parse_sitemap(packed, AT + ".gz", limits=Limits(max_bytes=10_000))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1251", "koi8-r", "utf-7", "rot13", "no", "idna"])
def test_no_declared_encoding_breaks_the_reader(encoding):
    parse_sitemap(f'<?xml version="1.0" encoding="{encoding}"?><urlset><url><loc>/a</loc></url></urlset>'.encode(), AT)


@given(st.binary() | st.binary().map(lambda rest: b"<urlset><url><loc>" + rest))
def test_no_bytes_break_the_reader(body):
    try:
        parse_sitemap(body, AT)
    except JobError:
        assert body.startswith(b"\x1f\x8b")


def test_indexes_are_followed_each_file_once():
    files = {
        AT: index("https://shop.mn/1.xml", "https://shop.mn/2.xml", AT, "https://other.mn/3.xml"),
        "https://shop.mn/1.xml": urlset(entry("/a"), entry("/b")),
        "https://shop.mn/2.xml": index("https://shop.mn/1.xml", "https://shop.mn/4.xml"),
        "https://shop.mn/4.xml": urlset(entry("/b"), entry("/c")),
    }
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        return files[url]

    found = read_sitemaps(get, [AT])

    assert [page.url for page in found.pages] == [f"https://shop.mn/{name}" for name in "abc"]
    assert sorted(asked) == sorted(files)


def test_reading_stops_at_the_wanted_number_of_pages_and_of_files():
    body = urlset(*(entry(f"/{number}") for number in range(10)))
    endless = (index(f"https://shop.mn/{number}") for number in range(1000))

    assert len(read_sitemaps(lambda url: body, [AT], most_pages=4).pages) == 4
    assert "More than 5 sitemaps" in read_sitemaps(lambda url: next(endless), [AT], most_files=5).problems[-1]


def test_a_file_that_fails_costs_only_itself():
    def get(url: str) -> bytes:
        if url.endswith("bad.xml"):
            raise Failed("The site answered 500.")
        return urlset(entry("/a"))

    found = read_sitemaps(get, ["https://shop.mn/bad.xml", "https://shop.mn/good.xml"])

    assert [page.url for page in found.pages] == ["https://shop.mn/a"]
    assert found.problems == ["https://shop.mn/bad.xml: The site answered 500."]
    with pytest.raises(Failed):
        read_sitemaps(get, ["https://shop.mn/bad.xml"])
