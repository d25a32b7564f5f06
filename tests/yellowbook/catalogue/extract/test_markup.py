"""Microdata and RDFa."""

import pytest

from yellowbook.catalogue.extract.item import Extraction
from yellowbook.catalogue.extract.read import extract

AT = "https://shop.mn/khan"
ADDRESS = '<div itemprop="address" itemscope><b itemprop="streetAddress">{}</b></div>'


def read(html: str) -> Extraction:
    return extract(html.encode(), AT, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "html",
    [
        """<div itemscope itemtype="http://schema.org/Hotel"><h1 itemprop="name">Өргөө</h1>
        <p itemprop="telephone">9911<b>2233</b><script>1</script></p><a itemprop="url" href="/x">x</a>
        <div itemprop="address" itemscope><span itemprop="streetAddress">Гудамж 3</span></div></div>""",
        """<div itemscope itemtype="https://schema.org/Hotel" itemref="more"><meta itemprop="name" content="Өргөө">
        <link itemprop="url" href="/x"></div><div id=more><data itemprop="telephone" value="99112233">x</data>
        <div itemprop="address">Гудамж 3</div></div>""",
        """<div itemscope itemtype="http://schema.org/Hotel"><p itemprop="name">Өргөө<div itemprop=address>Гудамж 3
        </div></span><a itemprop=url href=/x><p itemprop=telephone>99112233""",
        """<div vocab="https://schema.org/" typeof="Hotel"><b property="name">Өргөө</b><a property="url" href="/x">x</a>
        <p property="telephone" content="99112233">call</p>
        <div property="address" typeof="PostalAddress"><i property="streetAddress">Гудамж 3</i></div></div>""",
        """<div prefix="s: http://schema.org/ og: http://ogp.me/ns#" typeof="s:Hotel"><b property="s:name og:title">
        Өргөө</b><a property="s:url" href="/x">x</a><p property="s:telephone">99112233
        <p property="s:address">Гудамж 3""",
        """<div typeof="schema:Hotel"><b property="schema:name">Өргөө</b>
        <link property="http://schema.org/url" href="/x">
        <p property="schema:telephone">99112233</p><p property="schema:address">Гудамж 3</p></div>""",
        """<div vocab="http://schema.org/" typeof="Hotel"><a property="url" href="http://[bad">x</a>
        <h1 property="name">Өргөө</h1><a property="url" href="/x">x</a><p property="telephone">99112233</p>
        <div property="address" resource="#a"></div></div>
        <p vocab="http://schema.org/" typeof="PostalAddress" resource="#a"><i property="streetAddress">Гудамж 3</i>""",
    ],
)  # fmt: skip
def test_a_business_is_read_from_its_markup(html):
    (item,) = read(html).items

    assert (item.name, item.address, item.phone) == ("Өргөө", "Гудамж 3", "+976 9911-2233")
    assert item.category == "Hotel"


def test_what_several_parsers_say_of_one_business_is_put_together():
    found = read(
        """<script type="application/ld+json">{"@type": "Hotel", "@id": "#h", "name": "Өргөө"}</script>
        <div itemscope itemtype="http://schema.org/Hotel"><b itemprop=name>ӨРГӨӨ</b><b itemprop=telephone>99112233
        </b></div>
        <div vocab="http://schema.org/" typeof="Hotel"><b property=name>Өргөө</b><b property=email>a@b.mn</b></div>
        <div vocab="http://schema.org/" typeof="Hotel"><b property=name>Другой</b></div>"""
    )

    assert [(item.name, item.phone, item.email, item.provenance.parser) for item in found.items] == [
        ("Өргөө", "+976 9911-2233", "a@b.mn", "json-ld+microdata+rdfa"),
        ("Другой", "", "", "rdfa"),
    ]
    assert found.items[0].external_id == "shop.mn/khan#h"


def test_branches_of_one_name_at_two_addresses_stay_two():
    branch = '<div itemscope itemtype="http://schema.org/Hotel"><b itemprop=name>Өргөө</b>{}</div>'

    found = read(branch.format(ADDRESS.format("Гудамж 1")) + branch.format(ADDRESS.format("Гудамж 2")))

    assert [item.address for item in found.items] == ["Гудамж 1", "Гудамж 2"]


@pytest.mark.parametrize(
    "html",
    [
        '<div id=a itemprop=p itemscope itemref="a b"></div><div id=b itemscope itemprop=q itemref="a"></div>',
        '<div itemscope itemtype="http://schema.org/Hotel" id=a itemref=a itemprop=department><b itemprop=name>x</div>',
        "<div itemscope itemref='" + "a " * 10_000 + "'><p id=a itemprop=name>x</p></div>",
        "<div itemscope itemtype>" + "<div itemprop=name>" * 2_000,
        '<div vocab="http://schema.org/">' + "<div typeof=Hotel property=department>" * 2_000,
        "<template><div itemscope></template><svg itemscope><p itemprop=name>x",
        "<div prefix='a' typeof property resource vocab>" * 5,
    ],
)
def test_circles_and_depth_end(html):
    assert len(read(html).items) <= 1


def test_links_to_the_next_page_are_followed_within_the_site():
    found = read(
        '<link rel="next" href="?page=2"><a rel="nofollow NEXT" href="/list?page=2&amp;utm_source=x">x</a>'
        '<a rel=next href="https://other.mn/">x</a><a rel=next>x</a><a rel=prev href="/0">x</a>'
        '<a rel=next href="/khan#x">'
    )

    assert found.next_pages == ["https://shop.mn/khan?page=2", "https://shop.mn/list?page=2"]


def test_two_parsers_that_give_two_addresses_tell_of_two_branches():
    block = '<script type="application/ld+json">{"@type": "Hotel", "name": "Өргөө", "address": "Гудамж 1"}</script>'
    item = '<div itemscope itemtype="http://schema.org/Hotel"><b itemprop=name>Өргөө</b>{}</div>'

    assert len(read(block + item.format(ADDRESS.format("Гудамж 1"))).items) == 1
    assert len(read(block + item.format(ADDRESS.format("Гудамж 2"))).items) == 2
