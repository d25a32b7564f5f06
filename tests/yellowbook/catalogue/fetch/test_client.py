"""Fetching: what is asked, what comes back, what is followed, and what a status means."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from jobs.errors import ErrorClass, JobError
from yellowbook.catalogue.fetch.client import PRODUCT, Fetcher, fetch, user_agent
from yellowbook.catalogue.fetch.errors import (
    Busy,
    Denied,
    Failed,
    Gone,
    Refused,
    TooManyRedirects,
    Unreadable,
)
from yellowbook.catalogue.fetch.limits import Limits


def test_an_answer_comes_with_its_type_its_validators_and_its_address(site):
    site.serve("/", "Сайн уу".encode(), content_type='text/html; charset="UTF-8"', ETag='"1"', Last_Modified="then")

    got = fetch(site.url + "/#top", allow_private=True)

    assert (got.status, got.url, got.body.decode()) == (200, site.url + "/", "Сайн уу")
    assert (got.content_type, got.charset) == ('text/html; charset="UTF-8"', "utf-8")
    assert (got.etag, got.last_modified, got.not_modified, got.redirects) == ('"1"', "then", False, ())


def test_we_introduce_ourselves_and_take_nothing_from_the_environment(site, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    site.serve("/", Set_Cookie="a=b")

    with Fetcher(allow_private=True, contact="directory@example.mn") as fetcher:
        fetcher.fetch(site.url + "/")
        fetcher.fetch(site.url + "/")

    _, headers = site.asked[-1]
    assert headers["User-Agent"] == (
        f"{PRODUCT}/1.0 (business directory; reads schema.org data; +directory@example.mn)"
    )
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert "Cookie" not in headers
    assert "If-None-Match" not in headers


@pytest.mark.parametrize("contact", ["a\r\nX: y", "хаяг", "a\x00"])
def test_a_contact_that_is_no_header_value_is_refused(contact):
    with pytest.raises(ValueError, match="printable ASCII"):
        user_agent(contact)


def test_what_has_not_changed_is_not_sent_again(site, fetcher):
    site.serve("/", status=304, ETag='"1"')

    got = fetcher.fetch(site.url + "/", etag='"1"', last_modified="Wed, 21 Oct 2015 07:28:00 GMT")

    assert (got.not_modified, got.body, got.etag) == (True, b"", '"1"')
    assert site.asked[0][1]["If-None-Match"] == '"1"'
    assert site.asked[0][1]["If-Modified-Since"] == "Wed, 21 Oct 2015 07:28:00 GMT"


def test_an_answer_that_nothing_has_changed_to_no_question_is_unreadable(site, fetcher):
    site.serve("/", status=304)

    with pytest.raises(Unreadable):
        fetcher.fetch(site.url + "/")


def test_a_validator_that_would_break_the_header_is_left_out(site, fetcher):
    site.serve("/", b"x")

    fetcher.fetch(site.url + "/", etag='"1"\r\nX: y')

    assert "If-None-Match" not in site.asked[0][1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_told(site, fetcher, status):
    site.redirect("/a", "/b?x=1", status)
    site.redirect("/b?x=1", site.url + "/c")
    site.serve("/c", b"here")

    got = fetcher.fetch(site.url + "/a")

    assert (got.body, got.url) == (b"here", site.url + "/c")
    assert got.redirects == (site.url + "/a", site.url + "/b?x=1")


def test_a_circle_of_redirects_ends(site, fetcher):
    site.redirect("/a", "/b")
    site.redirect("/b", "/a")

    with pytest.raises(TooManyRedirects):
        fetcher.fetch(site.url + "/a")

    assert site.paths() == ["/a", "/b"]


def test_a_chain_of_redirects_ends_after_five(site, fetcher):
    for number in range(10):
        site.redirect(f"/{number}", f"/{number + 1}")

    with pytest.raises(TooManyRedirects):
        fetcher.fetch(site.url + "/0")

    assert len(site.asked) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://me:secret@example.mn/", "ftp://example.mn/"])
def test_a_redirect_to_what_is_not_fetched_is_refused(site, fetcher, location):
    site.redirect("/", location)

    with pytest.raises(Refused):
        fetcher.fetch(site.url + "/")


def test_each_address_is_asked_about_before_it_is_asked_for(site):
    site.redirect("/a", "/b")
    site.serve("/b")

    def before(url: str) -> None:
        if url.endswith("/b"):
            raise Refused("robots.txt says no")

    with Fetcher(allow_private=True, before=before) as fetcher, pytest.raises(Refused, match=r"robots\.txt"):
        fetcher.fetch(site.url + "/a")

    assert site.paths() == ["/a"]


def test_waiting_for_ones_turn_is_not_part_of_the_time_for_the_answer(site):
    site.serve("/", b"x")

    # The turn comes later than an answer may.
    with Fetcher(allow_private=True, before=lambda url: time.sleep(0.4), limits=Limits(seconds=0.35)) as fetcher:
        assert fetcher.fetch(site.url + "/").body == b"x"


@pytest.mark.parametrize(
    ("status", "error", "error_class"),
    [
        (400, Denied, ErrorClass.INVALID_INPUT),
        (401, Denied, ErrorClass.INVALID_INPUT),
        (403, Denied, ErrorClass.INVALID_INPUT),
        (404, Gone, ErrorClass.NOT_FOUND),
        (408, Failed, ErrorClass.SERVER),
        (410, Gone, ErrorClass.NOT_FOUND),
        (429, Busy, ErrorClass.RATE_LIMITED),
        (451, Denied, ErrorClass.INVALID_INPUT),
        (500, Failed, ErrorClass.SERVER),
        (503, Failed, ErrorClass.SERVER),
        (300, Unreadable, ErrorClass.BAD_RESPONSE),
    ],
)
def test_a_status_means_one_class_of_failure(site, fetcher, status, error, error_class):
    site.serve("/", b"no", status=status)

    with pytest.raises(error) as caught:
        fetcher.fetch(site.url + "/")

    assert caught.value.status_code == status
    assert caught.value.error_class is error_class


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        ("0", None),
        ("soon", None),
        ("-5", None),
        ("9" * 15, 86400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_the_site_says_when_to_come_back(site, fetcher, status, retry_after, seconds):
    site.serve("/", status=status, Retry_After=retry_after)

    with pytest.raises(JobError) as caught:
        fetcher.fetch(site.url + "/")

    assert caught.value.retry_after == seconds


def test_the_site_says_the_date_when_to_come_back(site, fetcher):
    site.serve("/", status=429, Retry_After=format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))

    with pytest.raises(Busy) as caught:
        fetcher.fetch(site.url + "/")

    assert 3500 < caught.value.retry_after <= 3600


def test_a_location_in_mongolian_is_followed(site, fetcher):
    site.redirect("/", "/%D0%B1%D0%B0%D1%80%D0%B0%D0%B0")
    site.serve("/%D0%B1%D0%B0%D1%80%D0%B0%D0%B0", b"x")

    assert fetcher.fetch(site.url + "/").url == site.url + "/%D0%B1%D0%B0%D1%80%D0%B0%D0%B0"
