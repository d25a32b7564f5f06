"""robots.txt: what RFC 9309 says of rules, and of not getting any."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yellowbook.catalogue.fetch.client import Fetcher
from yellowbook.catalogue.fetch.limits import Limits
from yellowbook.catalogue.fetch.robots import ALLOW_ALL, DISALLOW_ALL, SIZE_LIMIT, parse, read_robots, robots_url

SITE = "https://shop.mn"


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /", "/x", False),
        ("\ufeffUser-agent: *\nDisallow: /", "/x", False),
        ("User-agent: *\r\nDisallow: /admin", "/admin/x", False),
        ("User-agent: *\nDisallow: /admin", "/shop", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/menu.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/menu.pdf?v=1", True),
        ("User-agent: *\nDisallow: /*sort=", "/list?page=2&sort=name", False),
        ("User-agent: *\nDisallow: /хайлт", "/%D1%85%D0%B0%D0%B9%D0%BB%D1%82", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: yellowbookbot\nDisallow: /private", "/shop", True),
        ("User-agent: *\nDisallow: \n\nUser-agent: YellowBookBot\nDisallow: /", "/shop", False),
        ("User-agent: Googlebot\nDisallow: /", "/shop", True),
        ("User-agent: a\nUser-agent: *\nDisallow: /x", "/x", False),
        ("Disallow: /", "/x", True),
        ("rubbish\n\x00\nUser-agent: *\nnonsense\nDisallow: /x # why\n", "/x", False),
    ],
)
def test_rules_are_matched_as_the_rfc_says(rules, path, allowed):
    assert parse(rules).allowed(SITE + path) is allowed


@pytest.mark.parametrize(
    ("rules", "delay"),
    [
        ("", None),
        ("User-agent: *\nCrawl-delay: 2.5", 2.5),
        ("User-agent: *\nCrawl-delay: often", None),
        ("User-agent: *\nCrawl-delay: -1", None),
        ("User-agent: *\nCrawl-delay: inf", None),
        ("User-agent: *\nRequest-rate: 1/10", 10),
        ("User-agent: other\nCrawl-delay: 5", None),
    ],
)
def test_the_delay_between_requests_is_read(rules, delay):
    assert parse(rules).crawl_delay == delay


def test_sitemaps_are_listed_and_the_text_makes_the_rules_again():
    rules = parse("Sitemap: https://shop.mn/a.xml\nUser-agent: *\nDisallow: /x\nSitemap: /b.xml")

    assert rules.sitemaps == ("https://shop.mn/a.xml", "/b.xml")
    assert parse(rules.text) == rules


@settings(max_examples=40)
@given(st.text())
def test_no_text_breaks_the_reader(text):
    parse(text).allowed(SITE + "/x")


def test_the_rules_of_a_page_are_at_the_root_of_its_origin():
    assert robots_url("https://shop.mn:8443/a/b?c#d") == "https://shop.mn:8443/robots.txt"


@pytest.mark.parametrize(
    ("status", "rules"),
    [
        *((status, ALLOW_ALL) for status in (400, 401, 403, 404, 410)),
        *((status, DISALLOW_ALL) for status in (429, 500, 503)),
    ],
)
def test_a_missing_file_allows_everything_and_a_failing_one_nothing(site, fetcher, status, rules):
    site.serve("/robots.txt", status=status)

    assert read_robots(fetcher, site.url + "/shop") == rules


def test_no_answer_allows_nothing(fetcher):
    assert read_robots(fetcher, "http://127.0.0.1:1/") == DISALLOW_ALL


def test_an_address_that_is_not_public_allows_nothing():
    with Fetcher(limits=Limits(seconds=5), resolver=lambda host, port: ["10.0.0.1"]) as fetcher:
        assert read_robots(fetcher, "http://shop.mn/") == DISALLOW_ALL


def test_redirects_are_followed_and_a_circle_of_them_is_no_file(site, fetcher):
    site.redirect("/robots.txt", "/other.txt")
    site.serve("/other.txt", b"User-agent: *\nDisallow: /x")
    assert not read_robots(fetcher, site.url + "/").allowed(site.url + "/x")

    site.redirect("/other.txt", "/robots.txt")
    assert read_robots(fetcher, site.url + "/") == ALLOW_ALL


def test_what_follows_the_first_500_kib_is_ignored(site, fetcher):
    rules = b"User-agent: *\nDisallow: /first\n"
    site.serve("/robots.txt", rules + b"#" * (SIZE_LIMIT - len(rules)) + b"\nDisallow: /last\n")

    read = read_robots(fetcher, site.url + "/")

    assert (read.allowed(site.url + "/first"), read.allowed(site.url + "/last")) == (False, True)
