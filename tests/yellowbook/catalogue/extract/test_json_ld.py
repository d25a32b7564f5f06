"""JSON-LD as it is found: in all its forms, and broken in all the ways that templates break it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.catalogue.extract.item import Extraction
from yellowbook.catalogue.extract.lenient import Unreadable, read_all
from yellowbook.catalogue.extract.read import extract

AT = "https://shop.mn/khan"


def page(*blocks: str) -> bytes:
    scripts = "".join(f'<script type="application/ld+json">{block}</script>' for block in blocks)
    return f"<html><head><meta charset=utf-8>{scripts}</head><body></body></html>".encode()


def read(*blocks: Any) -> Extraction:
    return extract(page(*(each if isinstance(each, str) else json.dumps(each) for each in blocks)), AT, "text/html")


@pytest.mark.parametrize(
    "block",
    [
        # Commas: trailing, doubled, leading, missing.
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1",}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1",,}',
        '{,"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}',
        '{"@type": "Restaurant"\n "name": "Хаан"\n "address": "Хаяг 1"}',
        '[{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"},]',
        # Comments.
        '// ours\n{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}',
        '/* ours */{"@type": "Restaurant", /* kind */ "name": "Хаан", "address": "Хаяг 1" // where\n}',
        '<!-- {"@type": "Nothing"} -->{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}',
        # Wrappings.
        '<![CDATA[{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}]]>',
        '//<![CDATA[\n{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}\n//]]>',
        '/*<![CDATA[*/{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}/*]]>*/',
        '<!--\n{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}\n-->',
        '\ufeff{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"};',
        'var data = {"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"};',
        'window["data"] = {"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"};',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}}',
        # Several values in one block.
        '{"@type": "WebSite"}{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}',
        '{"@type": "WebSite"},\n{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"},',
        # Strings.
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг\n1"}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг\t1"}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг\x01 1"}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг\r\n\r\n1"}',
        "{'@type': 'Restaurant', 'name': 'Хаан', 'address': 'Хаяг 1'}",
        '{"@type": "Restaurant", "name": \'Хаан\', "address": "Хаяг 1"}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1", "slogan": "Ресторан "Хаан" ХХК"}',
        '{"@type": "Restaurant", "slogan": "Амтат "Хаан", бид", "name": "Хаан", "address": "Хаяг 1"}',
        '{"@type": "Restaurant", "slogan": "a\\x20\\q\\u12", "name": "Хаан", "address": "Хаяг 1"}',
        '{"@type": "Restaurant", "slogan": "C:\\", "name": "Хаан", "address": "Хаяг 1"}',
        # Keys and values without quotes.
        '{"@type": "Restaurant", name: "Хаан", address: "Хаяг 1"}',
        '{"@type": Restaurant, "name": Хаан, "address": "Хаяг 1"}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1", "slogan": undefined, "geo": NaN}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1", "telephone": 011323232, "x": .5}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1", "slogan": , "logo":}',
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1", "isOpen": True, "logo": None}',
        # Ends that are missing.
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"',
        '{"@type": "Restaurant", "name": "Хаан", "address": {"streetAddress": "Хаяг 1"',
        '{"@type": "Restaurant", "name": "Хаан", "address": ["Хаяг 1", "image": "x"}',
        '[{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"',
        '{"@graph": [{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1"}, {"@type": "Web',
        # Escaped once too often.
        "{&quot;@type&quot;: &quot;Restaurant&quot;, &quot;name&quot;: &quot;Хаан&quot;, "
        "&quot;address&quot;: &quot;Хаяг 1&quot;}",
        '{"@type": "Restaurant", "name": "&#1061;аан", "address": "Хаяг&nbsp;1"}',
        '{"@type": "Restaurant", "name": "<b>Хаан</b>", "address": "Хаяг<br/>1"}',
        # Templates that were not filled in.
        '{"@type": "Restaurant", "name": "Хаан", "address": "Хаяг 1", "image": {{ image }}}',
        '{"@type": "Restaurant", "name": "Хаан", "name": "Хаан", "address": "Хаяг 1"}',
    ],
)
def test_a_broken_block_is_read_as_far_as_it_makes_sense(block):
    found = read(block)

    assert [(item.name, item.address, item.category) for item in found.items] == [("Хаан", "Хаяг 1", "Restaurant")]


@pytest.mark.parametrize(
    "block", ["", " ", "null", "true", "12", '"text"', "nothing", "<p>", "{", "[[[", "{}", "[]", "]}"]
)
def test_a_block_without_anything_gives_nothing(block):
    assert read(block).items == []


def test_a_block_that_can_not_be_read_costs_no_other_one():
    found = read("nothing at all", {"@type": "Hotel", "name": "Өргөө"}, '{"@type": "Hotel", "name": "Хаан",}')

    assert [item.name for item in found.items] == ["Өргөө", "Хаан"]
    assert [problem.partition(" is")[0].partition(" can't")[0] for problem in found.problems] == [
        "JSON-LD block 1",
        "JSON-LD block 3",
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"@context": "https://schema.org", "@type": "Hotel", "name": "Өргөө"},
        {"@context": "http://schema.org/", "@type": "http://schema.org/Hotel", "name": "Өргөө"},
        {"@context": ["https://schema.org", {"x": "http://x/"}], "@type": ["Thing", "Hotel"], "name": ["Өргөө"]},
        {"@context": {"@vocab": "https://schema.org/"}, "@type": "Hotel", "name": "Өргөө"},
        {"@context": {"schema": "https://schema.org/"}, "@type": "schema:Hotel", "schema:name": "Өргөө"},
        {"@context": {"s": "http://schema.org/"}, "@type": "s:Hotel", "s:name": "Өргөө"},
        {
            "@context": {"@vocab": "https://schema.org/", "kind": "@type", "ner": "name"},
            "kind": "Hotel",
            "name": "Өргөө",
        },
        {"@context": {"type": "@type", "ner": "https://schema.org/name"}, "type": "schema:Hotel", "ner": "Өргөө"},
        {"@context": {"@vocab": "http://schema.org/", "t": {"@id": "schema:name"}}, "@type": "Hotel", "t": "Өргөө"},
        {"@type": "https://schema.org/Hotel", "https://schema.org/name": "Өргөө"},
        {"@type": "Hotel", "name": {"@value": "Өргөө"}},
        {"@type": "Hotel", "name": {"@list": ["Өргөө"]}},
        [[{"@type": "Hotel", "name": "Өргөө"}]],
        {"@graph": [{"@type": "WebSite"}, {"@type": "Hotel", "name": "Өргөө"}]},
        {"@context": "https://schema.org", "@graph": {"@type": "Hotel", "name": "Өргөө"}},
        {"@type": "WebPage", "mainEntity": {"@type": "Hotel", "name": "Өргөө"}},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": {"@type": "Hotel", "name": "Өргөө"}}]},
        {"@type": "Product", "offers": {"@type": "Offer", "seller": {"@type": "Hotel", "name": "Өргөө"}}},
    ],
)
def test_every_form_of_json_ld_is_understood(block):
    assert [(item.name, item.category) for item in read(block).items] == [("Өргөө", "Hotel")]


@pytest.mark.parametrize(
    "block",
    [
        {"@context": "https://www.w3.org/ns/activitystreams", "@type": "Organization", "name": "x", "address": "y"},
        {"@context": {"@vocab": "http://other/"}, "@type": "Hotel", "name": "Өргөө"},
        {"@type": "Article", "author": {"@type": "Organization", "name": "x", "address": "y"}},
        {"@type": "Product", "brand": {"@type": "Organization", "name": "x", "address": "y"}},
        {"@type": "Review", "itemReviewed": {"@type": "Restaurant", "name": "x"}},
        {"@type": "Person", "name": "x", "address": "y"},
    ],
)
def test_what_is_not_the_business_of_the_page_is_none(block):
    assert read(block).items == []


def test_references_between_nodes_and_blocks_are_followed():
    found = read(
        {
            "@graph": [
                {"@type": "Hotel", "@id": "#hotel", "name": "Өргөө", "address": {"@id": "#address"}},
                {"@type": "PostalAddress", "@id": "#address", "streetAddress": "Гудамж 3", "addressLocality": "Дархан"},
                {"@type": "WebPage", "about": {"@id": "#hotel"}},
            ]
        },
    )

    assert [(item.address, item.city) for item in found.items] == [("Дархан, Гудамж 3", "Дархан")]


def test_what_several_blocks_say_of_one_node_is_put_together():
    found = read(
        {"@context": "https://schema.org", "@graph": [
            {"@type": "Hotel", "@id": "#hotel", "name": "Өргөө"},
            {"@id": "#hotel", "telephone": "99112233"},
        ]},
    )  # fmt: skip

    assert [(item.name, item.phone) for item in found.items] == [("Өргөө", "+976 9911-2233")]


def test_references_that_go_in_circles_end():
    found = read(
        {"@graph": [
            {"@type": "Hotel", "@id": "#a", "name": "A", "department": {"@id": "#b"}, "address": {"@id": "#b"}},
            {"@type": "Hotel", "@id": "#b", "name": "B", "department": {"@id": "#a"}, "address": {"@id": "#b"}},
        ]}
    )  # fmt: skip

    assert sorted(item.name for item in found.items) == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ([{"@value": "Khan", "@language": "en"}, {"@value": "Хаан", "@language": "mn"}], "Хаан"),
        ([{"@value": "Khan", "@language": "en"}, "Хаан"], "Хаан"),
        ([{"@value": "Khan", "@language": "en-GB"}, {"@value": "Хан", "@language": "ru"}], "Khan"),
        ({"mn": "Хаан", "en": "Khan"}, "Хаан"),
        ({"de": "Khan"}, "Khan"),
    ],
)
def test_of_several_languages_mongolian_is_taken_then_english(name, taken):
    assert [item.name for item in read({"@type": "Hotel", "name": name}).items] == [taken]


def test_the_language_of_a_context_holds_for_its_texts():
    block = {"@context": ["https://schema.org", {"@language": "en"}], "@type": "Hotel"}

    assert read({**block, "name": ["Khan", {"@value": "Хаан", "@language": "mn"}]}).items[0].name == "Хаан"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_whole_json_is_read_as_it_is(value):
    assert read_all(json.dumps(value)) == ([value], False)


@given(st.text(alphabet="{}[]:,\"'\\/*<!-> \n01truefalsn@aб=;"))
def test_no_text_breaks_the_reader_of_broken_json(text):
    try:
        values, _ = read_all(text)
    except Unreadable:
        return
    json.dumps(values)


@given(st.dictionaries(st.text(alphabet="abc"), st.text(alphabet="abcж ") | st.integers(0, 99), min_size=1))
def test_a_trailing_comma_and_a_comment_change_nothing(value):
    text = json.dumps(value, ensure_ascii=False)

    assert read_all(f"/* x */{text[:-1]},}}//") == ([value], True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('"slogan": "Ресторан "Хаан" ХХК",', 'Ресторан "Хаан" ХХК'),
        ('"slogan": "Амтат "Хаан", бид",', 'Амтат "Хаан", бид'),
        ('"slogan": "Нэг\nхоёр",', "Нэг\nхоёр"),
        ('"slogan": "C:\\", ', "C:\\"),
        ('"slogan": "\\u0425аан \\"a\\" \\/ b",,', 'Хаан "a" / b'),
    ],
)
def test_a_broken_text_keeps_all_that_belongs_to_it(text, meant):
    (item,) = read(f'{{{text} "@type": "Restaurant", "name": "Хаан",}}').items

    assert item.description == meant
