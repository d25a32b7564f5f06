"""Fetching: what comes back, what is followed, and where it stops."""

import gzip
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler

import pytest

from jobs.errors import ErrorClass, JobError
from yellowbook.catalogue.fetch.client import PRODUCT, Fetcher, fetch, user_agent
from yellowbook.catalogue.fetch.errors import (
    Busy,
    Denied,
    Failed,
    Gone,
    Refused,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    Unreachable,
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


TEXT = "Ресторан Хаан, ".encode() * 500


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZIP", gzip.compress(TEXT, mtime=0)),
        ("gzip", gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0)),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"rubbish"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("identity", TEXT),
    ],
)
def test_a_packed_body_is_unpacked(site, fetcher, encoding, packed):
    site.serve("/", packed, Content_Encoding=encoding)

    assert fetcher.fetch(site.url + "/").body == TEXT


@pytest.mark.parametrize(
    ("encoding", "packed", "error"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)[:-20], Unreachable),
        ("gzip", b"this is no gzip", Unreadable),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8), Unreadable),
        ("br", b"x", Unreadable),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0), Unreadable),
    ],
)
def test_a_body_that_can_not_be_unpacked_is_an_error_of_its_own(site, fetcher, encoding, packed, error):
    site.serve("/", packed, Content_Encoding=encoding)

    with pytest.raises(error):
        fetcher.fetch(site.url + "/")


def bomb(megabytes: int) -> bytes:
    """Pack zeros, about a thousandfold."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    zeros = bytes(1024 * 1024)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def test_a_bomb_is_not_unpacked_beyond_the_ratio(site, fetcher, monkeypatch):
    unpacked = counted_unpacking(monkeypatch)
    site.serve("/", bomb(50), Content_Encoding="gzip")

    with pytest.raises(TooLarge, match="bomb"):
        fetcher.fetch(site.url + "/", limits=Limits(max_bytes=10**9))

    assert sum(unpacked) < 30 * 1024 * 1024


def test_a_bomb_is_not_unpacked_beyond_the_size(site, fetcher, monkeypatch):
    unpacked = counted_unpacking(monkeypatch)
    site.serve("/", bomb(50), Content_Encoding="gzip")

    with pytest.raises(TooLarge, match="larger"):
        fetcher.fetch(site.url + "/", limits=Limits(max_bytes=1_000_000))

    assert sum(unpacked) < 1_100_000


def counted_unpacking(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many bytes each step of unpacking made."""
    made: list[int] = []
    real = zlib.decompressobj

    class Counted:
        def __init__(self, wbits: int) -> None:
            self._real = real(wbits)

        def decompress(self, data: bytes, most: int = 0) -> bytes:
            piece = self._real.decompress(data, most)
            made.append(len(piece))
            return piece

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    return made


def test_a_body_that_declares_too_much_is_refused_unread(site, fetcher):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        handler.close_connection = True

    site.answers["/"] = answer

    with pytest.raises(TooLarge):
        fetcher.fetch(site.url + "/")


def endless(site, pause: float = 0.0):
    """Answer with a body that does not end, chunk after chunk."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        piece = b"x" if pause else b"x" * 10_000
        while not site.over.wait(pause):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.flush()

    return answer


def test_an_endless_body_ends_at_the_limit(site, fetcher):
    site.answers["/"] = endless(site)

    with pytest.raises(TooLarge):
        fetcher.fetch(site.url + "/")


def test_a_body_is_cut_off_at_the_limit_for_who_asks_for_that(site, fetcher):
    site.answers["/"] = endless(site)

    got = fetcher.fetch(site.url + "/", clip=True, limits=Limits(max_bytes=1000))

    assert (got.body, got.clipped) == (b"x" * 1000, True)


def test_a_trickle_ends_at_the_deadline_however_steady(site, fetcher):
    site.answers["/"] = endless(site, pause=0.02)

    with pytest.raises(TooSlow) as caught:
        fetcher.fetch(site.url + "/", limits=Limits(seconds=0.3, read_seconds=5))

    assert caught.value.error_class is ErrorClass.NETWORK


def test_headers_that_trickle_end_at_the_deadline(site, fetcher):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not site.over.wait(0.02):
            handler.wfile.write(b"X-More: and more\r\n")

    site.answers["/"] = answer

    with pytest.raises(TooSlow):
        fetcher.fetch(site.url + "/", limits=Limits(seconds=0.3, read_seconds=5))


def test_silence_ends_at_the_time_for_one_read(site, fetcher):
    site.answers["/"] = lambda handler: site.over.wait(30)

    with pytest.raises(TooSlow):
        fetcher.fetch(site.url + "/", limits=Limits(seconds=10, read_seconds=0.1))


def test_redirects_share_one_deadline(site, fetcher):
    def slow_redirect(number: int):
        def answer(handler: BaseHTTPRequestHandler) -> None:
            site.over.wait(0.15)
            handler.send_response(302)
            handler.send_header("Location", f"/{number + 1}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        return answer

    for number in range(6):
        site.answers[f"/{number}"] = slow_redirect(number)

    with pytest.raises(TooSlow):
        fetcher.fetch(site.url + "/0", limits=Limits(seconds=0.4))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01\x00rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_an_answer_that_is_cut_short_or_is_not_http_may_be_whole_next_time(site, fetcher, sent):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(sent)
        handler.close_connection = True

    site.answers["/"] = answer

    with pytest.raises(Unreachable) as caught:
        fetcher.fetch(site.url + "/")

    assert caught.value.error_class is ErrorClass.NETWORK


def test_a_port_where_nobody_listens_is_unreachable(site, fetcher):
    with pytest.raises(Unreachable):
        fetcher.fetch("http://127.0.0.1:1/")


def test_a_location_in_mongolian_is_followed(site, fetcher):
    site.redirect("/", "/%D0%B1%D0%B0%D1%80%D0%B0%D0%B0")
    site.serve("/%D0%B1%D0%B0%D1%80%D0%B0%D0%B0", b"x")

    assert fetcher.fetch(site.url + "/").url == site.url + "/%D0%B1%D0%B0%D1%80%D0%B0%D0%B0"
