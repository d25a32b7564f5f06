"""Where a fetch goes and where it does not: on addresses, whatever name or number they hide behind."""

import threading
from collections.abc import Sequence

import pytest

from jobs.errors import ErrorClass
from tests.yellowbook.catalogue.fetch.support import ToLoopback, closing, public
from yellowbook.catalogue.fetch.addresses import checked_addresses, checked_url, is_public
from yellowbook.catalogue.fetch.client import Fetcher, fetch
from yellowbook.catalogue.fetch.errors import Refused, TooSlow, Unreachable
from yellowbook.catalogue.fetch.limits import Limits


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1"),
        *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
        "168.63.129.16",
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
        *("2002:7f00:1::1", "2002:808:808::1", "2001:0:808:808::1", "2001:db8::1", "3fff::1", "100::1"),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "5f00::1"),
        *("", "example.mn", "127.1", "1.2.3.4.5"),
    ],
)
def test_an_address_that_is_not_a_public_one_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "203.91.119.1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700:4700::1111", "2a00:1450:4001::1"],
)
def test_an_address_that_is_public_is_not(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://example.mn/", "gopher://example.mn/", "javascript:alert(1)", "data:text/html,x"),
        *("//example.mn/", "/shop", "", "   ", "example.mn", "http://", "http:///path", "https://:443/"),
        *("http://user@example.mn/", "http://user:password@example.mn/", "http://:password@example.mn/"),
        *("http://example.mn:22/", "http://example.mn:25/", "https://example.mn:6379/", "http://example.mn:0/"),
        *("http://example.mn:99999/", "http://[::1/", "http://exa mple.mn/", "http://example.mn/\r\nHost: other"),
        "http://example.mn/" + "a" * 3000,
    ],
)
def test_a_url_that_is_not_plain_http_is_refused_before_anything_is_looked_up(url):
    asked: list[str] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return []

    with pytest.raises(Refused) as caught:
        fetch(url, resolver=resolver)

    assert asked == []
    assert caught.value.error_class is ErrorClass.INVALID_INPUT


def test_a_url_is_brought_into_normal_form():
    assert str(checked_url(" HTTPS://Дэлгүүр.МН:443/бараа?q=ү#top ")) == (
        "https://xn--c1abvv6d37aa.xn--l1ac/%D0%B1%D0%B0%D1%80%D0%B0%D0%B0?q=%D2%AF"
    )


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
def test_other_spellings_of_loopback_are_refused_by_what_the_system_makes_of_them(host):
    with pytest.raises((Refused, Unreachable)):
        fetch(f"http://{host}:8080/")


@pytest.mark.parametrize("private", ["10.0.0.1", "169.254.169.254", "::1", "fd00::1"])
def test_one_address_that_is_not_public_refuses_the_host(private):
    with pytest.raises(Refused, match=r"shop\.mn leads to"):
        fetch("http://shop.mn/", resolver=lambda host, port: ["93.184.216.34", private])


def test_a_redirect_to_the_metadata_service_is_refused(site):
    site.redirect("/", "http://169.254.169.254:8080/latest/meta-data/")
    names = {"shop.mn": ["93.184.216.34"], "169.254.169.254": ["169.254.169.254"]}
    asked: list[str] = []

    with public(site, names, asked) as fetcher, pytest.raises(Refused, match=r"169\.254\.169\.254"):
        fetcher.fetch("http://shop.mn:8080/")

    assert asked == ["shop.mn", "169.254.169.254"]


def test_a_name_that_turns_private_after_its_first_answer_is_refused_when_it_is_connected_to_again(site):
    site.redirect("/", "http://shop.mn:8080/inside")
    site.answers["/"] = closing(site.answers["/"])
    site.serve("/inside", b"secret")
    answers = iter([["93.184.216.34"], ["10.0.0.1"]])

    with (
        Fetcher(resolver=lambda host, port: next(answers), network=ToLoopback(site.port)) as fetcher,
        pytest.raises(Refused, match=r"10\.0\.0\.1"),
    ):
        fetcher.fetch("http://shop.mn:8080/")

    assert site.paths() == ["/"]


def test_the_connection_goes_to_the_very_address_that_was_checked_and_a_name_is_looked_up_once_for_it(site):
    site.serve("/", b"hello")
    asked: list[str] = []
    network = ToLoopback(site.port)

    def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    with Fetcher(resolver=resolver, network=network) as fetcher:
        assert fetcher.fetch("http://shop.mn:8080/").body == b"hello"

    assert asked == ["shop.mn"]
    assert network.connected == ["93.184.216.34"]
    assert site.asked[0][1]["Host"] == "shop.mn:8080"


def test_the_next_address_is_tried_when_one_does_not_answer(site):
    site.serve("/", b"hello")
    network = ToLoopback(site.port, dead={"93.184.216.34"})

    with Fetcher(resolver=lambda host, port: ["93.184.216.34", "93.184.216.35"], network=network) as fetcher:
        assert fetcher.fetch("http://shop.mn/").body == b"hello"

    assert network.connected == ["93.184.216.34", "93.184.216.35"]


def test_a_name_that_is_not_found_may_be_found_later():
    def resolver(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(Unreachable) as caught:
        fetch("http://shop.mn/", resolver=resolver)

    assert caught.value.error_class is ErrorClass.NETWORK


def test_a_name_without_addresses_is_unreachable():
    with pytest.raises(Unreachable):
        fetch("http://shop.mn/", resolver=lambda host, port: [])


def test_looking_a_name_up_ends_at_the_deadline():
    over = threading.Event()

    def resolver(host: str, port: int) -> Sequence[str]:
        over.wait(30)
        return []

    with pytest.raises(TooSlow):
        fetch("http://shop.mn/", resolver=resolver, limits=Limits(seconds=0.1))
    over.set()


def test_addresses_that_are_not_public_pass_where_they_are_allowed():
    found = checked_addresses("x", 80, resolver=lambda host, port: ["127.0.0.1"], allow_private=True, timeout=5)

    assert found == ["127.0.0.1"]


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "nonsense"])
def test_what_is_inside_is_no_link_local_address(address):
    with pytest.raises(Refused):
        checked_addresses("x", 80, resolver=lambda host, port: ["10.0.0.1", address], allow_private=True, timeout=5)
