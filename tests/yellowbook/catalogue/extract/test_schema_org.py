"""From schema.org to the fields of a business, and to an id that stays."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import models

from yellowbook.catalogue.extract.item import BUSINESS_FIELDS, LONGEST, Extraction, IdSource, Item
from yellowbook.catalogue.extract.prices import price_level
from yellowbook.catalogue.extract.read import extract
from yellowbook.catalogue.extract.types import LOCAL_BUSINESS, category_of
from yellowbook.catalogue.extract.values import email, number, paragraphs, phone, position
from yellowbook.directory.models import Business
from yellowbook.directory.parsers import Record
from yellowbook.directory.rows import COLUMNS, Row, read_row

AT = "https://www.shop.mn/khan"


def read(*nodes: dict[str, Any], url: str = AT) -> Extraction:
    script = f'<script type="application/ld+json">{json.dumps(list(nodes))}</script>'
    return extract(script.encode(), url, "text/html")


def one(**properties: Any) -> Item:
    """Read a page with one restaurant."""
    (item,) = read({"@type": "Restaurant", "name": "Хаан", **properties}).items
    return item


def test_everything_that_a_business_has_is_read():
    then = datetime(2026, 1, 2, tzinfo=UTC)
    node = {
        "@type": ["LocalBusiness", "CafeOrCoffeeShop"],
        "@id": "https://www.shop.mn/#khan",
        "name": "Cафе  Xaaн",
        "description": "<p>Амттай хоол.</p><p>Wi-Fi &amp; зогсоол</p>",
        "address": {
            "@type": "PostalAddress",
            "streetAddress": "Энхтайваны өргөн чөлөө 5",
            "addressLocality": "Улаанбаатар",
            "addressRegion": "Сүхбаатар дүүрэг",
            "postalCode": 14200,
            "addressCountry": {"@type": "Country", "name": "MN"},
        },
        "telephone": ["+97699112233", "7011 2233"],
        "email": "mailto:Info@Shop.MN",
        "url": "/khan?utm_source=x#top",
        "geo": {"@type": "GeoCoordinates", "latitude": "47.91", "longitude": 106.91},
        "priceRange": "₮₮",
        "potentialAction": {"@type": "OrderAction"},
        "openingHours": "Mo-Su 09:00-22:00",
        "openingHoursSpecification": {
            "dayOfWeek": ["Monday", "https://schema.org/Tuesday"], "opens": "09:00", "closes": "22:00",
        },
    }  # fmt: skip

    found = extract(
        f'<script type="application/ld+json">{json.dumps(node)}</script>'.encode(), AT, "text/html", fetched_at=then
    )

    (item,) = found.items
    assert item.values() == {
        "external_id": "shop.mn/#khan",
        "name": "Сафе Хаан",
        "category": "Cafe or coffee shop",
        "description": "Амттай хоол.\nWi-Fi & зогсоол",
        "address": "Сүхбаатар дүүрэг, Улаанбаатар, Энхтайваны өргөн чөлөө 5, 14200",
        "city": "Улаанбаатар",
        "phone": "+976 9911-2233, +976 7011-2233",
        "email": "Info@shop.mn",
        "website": "https://www.shop.mn/khan",
        "latitude": 47.91,
        "longitude": 106.91,
        "price_level": 2,
        "offers_online": True,
    }
    assert item.opening_hours == "Mo-Su 09:00-22:00\nMo,Tu 09:00-22:00"
    assert (item.provenance.url, item.provenance.parser, item.provenance.fetched_at) == (AT, "json-ld", then)
    assert isinstance(read_row(Record(1, item.values())), Row)


def test_the_fields_and_their_lengths_are_those_of_the_model():
    assert set(BUSINESS_FIELDS) == set(COLUMNS) - {"status"}
    for name in set(LONGEST) - {"opening_hours", "description"}:
        field = Business._meta.get_field(name)
        assert isinstance(field, models.Field)
        assert LONGEST[name] == field.max_length
    assert one(description="а б " * 10_000).description.endswith("…")
    assert len(one(description="а" * 30_000).description) == LONGEST["description"]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("Хаяг  1", "Хаяг 1"),
        (["", "Хаяг 1"], "Хаяг 1"),
        ({"streetAddress": "Seoul Street 5", "addressLocality": "Ulaanbaatar", "addressCountry": "Mongolia"},
         "Seoul Street 5, Ulaanbaatar"),
        ({"streetAddress": "Main St 1", "addressRegion": "CA", "postalCode": "90210", "addressCountry": "US"},
         "Main St 1, CA, 90210, US"),
        ({"streetAddress": "Дархан, Гудамж 3", "addressLocality": "Дархан"}, "Дархан, Гудамж 3"),
        ({"streetAddress": "Дарханы зам 3", "addressLocality": "Дархан"}, "Дархан, Дарханы зам 3"),
        ({"addressLocality": "Дархан", "addressRegion": "Дархан"}, "Дархан"),
        ({"name": "Хаяг 1"}, "Хаяг 1"),
        ({}, ""),
        (5, "5"),
        (True, ""),
    ],
)  # fmt: skip
def test_an_address_is_one_line_in_the_order_of_its_language(address, told):
    assert one(address=address).address == told


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("$", 1), ("$$", 2), ("₮₮₮", 3), ("€€€€", 4), ("$$$$$$", 4), ("$ $ $", 3), ("$ - $$$", 2), ("$$-$$$$", 3),
        ("1", 1), ("4", 4), (2, 2), ("10000-20000", 1), ("10 000₮ - 60 000₮", 2), ("15k-150k", 3),
        ("200,000 төгрөг", 4), ("100 мянга", 3), ("$5", 1), ("$15 - $25", 2), ("30-60 USD", 3), ("€80", 4),
        ("Moderate", 2), ("хямд", 1),
        ("Very expensive", 4), ("тансаг", 4), ("", None), ("5", None), ("5-10", None), ("£20", None), ("0", None),
        ("free wifi", None), (None, None), ([], None), ("1" * 500, 4),
    ],
)  # fmt: skip
def test_a_price_range_is_a_level_from_1_to_4(written, level):
    assert price_level(written) == level


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("99112233", "+976 9911-2233"), ("9911-2233", "+976 9911-2233"), ("+976 99 11 22 33", "+976 9911-2233"),
        ("(976) 7011-2233", "+976 7011-2233"), ("00976 99112233", "+976 9911-2233"),
        ("tel:+97699112233", "+976 9911-2233"),
        (99112233, "+976 9911-2233"), ("99112233, 88112233", "+976 9911-2233, +976 8811-2233"),
        ("99112233 / 99112233", "+976 9911-2233"), ("+1 (415) 555-0100", "+14155550100"),
        ("(011) 32-32-32", "(011) 32-32-32"),
        ("1900", "1900"), ("Утас: 77001122", "+976 7700-1122"), ("call us", ""), ("", ""), (None, ""), ("1" * 40, ""),
    ],
)  # fmt: skip
def test_a_telephone_number_has_one_form(written, told):
    assert phone(written) == told


def test_values_that_make_no_sense_are_empty():
    assert email("nobody") == email("a@b") == email(None) == ""
    assert number("1,5") == 1.5
    assert number("1e999") is number(True) is number(10**400) is number(float("nan")) is number("x") is None
    assert position(0, 0) is position(91, 0) is position(1, 181) is position(None, 1) is None
    assert paragraphs("a < b & c\x00\ud800", "description") == "a < b & c"
    item = one(telephone="x", email="x", geo={"latitude": "north"}, url="javascript:x", priceRange="ask")
    assert (item.phone, item.email, item.latitude, item.website, item.price_level) == ("", "", None, "", None)


@pytest.mark.parametrize(
    "place",
    [
        {"geo": {"latitude": 47.9, "longitude": 106.9}},
        {"geo": [{"latitude": "47,9", "longitude": "106,9"}]},
        {"geo": "47.9, 106.9"},
        {"latitude": 47.9, "longitude": 106.9},
        {"location": {"@type": "Place", "geo": {"latitude": 47.9, "longitude": 106.9}}},
    ],
)
def test_a_position_is_found_where_people_put_it(place):
    assert (one(**place).latitude, one(**place).longitude) == (47.9, 106.9)


@pytest.mark.parametrize(
    ("properties", "identifier", "source"),
    [
        ({"@id": "#khan"}, "shop.mn/khan#khan", IdSource.NODE),
        ({"@id": "http://shop.mn/x/"}, "shop.mn/x", IdSource.NODE),
        ({"@id": "https://www.wikidata.org/entity/Q1"}, "wikidata.org/entity/Q1", IdSource.NODE),
        ({"@id": "urn:uuid:1"}, "shop.mn:urn:uuid:1", IdSource.NODE),
        ({"identifier": "A 1"}, "shop.mn:A1", IdSource.IDENTIFIER),
        (
            {"identifier": {"@type": "PropertyValue", "propertyID": "reg", "value": 77}},
            "shop.mn:reg:77",
            IdSource.IDENTIFIER,
        ),
        ({"sku": 5, "url": "/x"}, "shop.mn:5", IdSource.IDENTIFIER),
        ({"url": "/x?id=1&utm_source=y#z"}, "shop.mn/x?id=1", IdSource.URL),
        ({"@id": "_:b0", "url": "https://shop.mn/x/"}, "shop.mn/x", IdSource.URL),
    ],
)
def test_the_id_is_the_most_stable_thing_that_is_told(properties, identifier, source):
    item = one(**properties)

    assert (item.external_id, item.id_source) == (identifier, source)


def test_without_anything_else_the_id_is_made_of_name_and_address():
    ids = {
        one(name=name, address=address).external_id for name in ("Хаан", "ХААН ") for address in ("Хаяг 1", "хаяг  1")
    }

    assert len(ids) == 1
    assert one(address="Хаяг 2").external_id not in ids
    assert one(url="https://shop.mn/").id_source is IdSource.HASH
    assert one(url="https://other.mn/khan").id_source is IdSource.HASH
    assert len(one(**{"@id": "/" + "x" * 500}).external_id) <= LONGEST["external_id"]


def test_the_front_page_is_the_id_of_the_only_business_on_it():
    node = {"@type": "Hotel", "name": "A", "url": "https://shop.mn"}

    (alone,) = read(node, url="http://www.shop.mn/").items
    two = read(node, {**node, "name": "B"}, url="http://shop.mn/").items

    assert (alone.external_id, alone.id_source) == ("shop.mn", IdSource.URL)
    assert {item.id_source for item in two} == {IdSource.HASH}


def test_businesses_that_a_template_gave_one_id_are_told_apart():
    found = read(*({"@type": "Hotel", "@id": "#org", "name": name, "address": "x"} for name in "A"), {
        "@type": "Hotel", "identifier": "1", "name": "B",
    }, {"@type": "Hotel", "identifier": "1", "name": "C"})  # fmt: skip

    assert [item.name for item in found.items] == ["A", "B", "C"]
    assert len({item.external_id for item in found.items}) == 3
    assert "share the id shop.mn:1" in found.problems[0]


def test_the_hash_changes_with_what_is_told_and_with_nothing_else():
    item = one(telephone="99112233")
    later = replace(item, provenance=replace(item.provenance, fetched_at=datetime.now(UTC)), external_id="other")

    assert len(item.content_hash()) == 64
    assert later.content_hash() == item.content_hash()
    assert one(telephone="99112234").content_hash() != item.content_hash()
    assert one(telephone="9911 2233", url=None).content_hash() == item.content_hash()


def test_an_organization_needs_a_place_or_a_contact_and_every_business_a_name():
    found = read(
        {"@type": "Organization", "name": "Only a name", "logo": "x"},
        {"@type": "Corporation", "name": "Reachable", "contactPoint": {"telephone": "99112233"}},
        {"@type": "Hotel", "address": "Хаяг 1"},
        {"@type": "Hotel", "name": "Өргөө"},
    )

    assert [(item.name, item.phone) for item in found.items] == [("Reachable", "+976 9911-2233"), ("Өргөө", "")]
    assert any("Only a name" in problem for problem in found.problems)
    assert any("without a name" in problem for problem in found.problems)


def test_products_enrich_the_one_business_of_a_page_and_are_none_themselves():
    products = [
        {"@type": "Product", "name": f"Хуушуур {number}", "offers": {
            "@type": "Offer", "price": "25000", "priceCurrency": "MNT", "availability": "https://schema.org/InStock",
        }}
        for number in range(30)
    ]  # fmt: skip

    (item,) = read({"@type": "Restaurant", "name": "Хаан"}, *products).items
    (shop,) = read({"@type": "Store", "name": "Дэлгүүр", "description": "Бид"}, *products).items
    alone = read(*products)

    assert item.description.startswith("Хуушуур 0; Хуушуур 1;")
    assert (item.price_level, item.offers_online) == (2, True)
    assert (shop.description, shop.price_level, shop.offers_online) == ("Бид", None, True)
    assert (alone.items, alone.problems) == ([], ["30 products, and no business that sells them."])


def test_pages_of_a_list_and_of_its_entries_are_followed_within_the_site():
    found = read(
        {"@type": "ItemList", "itemListElement": [
            {"@type": "ListItem", "position": 1, "url": "/a"},
            {"@type": "ListItem", "item": "https://shop.mn/b"},
            {"@type": "ListItem", "item": {"@id": "/c"}},
            {"@type": "ListItem", "url": "https://other.mn/d"},
            {"@type": "ListItem", "url": "javascript:x"},
            "/e#x",
        ]},
    )  # fmt: skip

    assert found.next_pages == [
        *("https://www.shop.mn/a", "https://shop.mn/b", "https://www.shop.mn/c", "https://www.shop.mn/e")
    ]


def test_the_type_tree_is_complete_and_speaks_in_words():
    assert len(LOCAL_BUSINESS) == 152
    assert {"Restaurant", "SkiResort", "HVACBusiness", "IndividualPhysician", "Dentist"} <= LOCAL_BUSINESS
    assert category_of(["LocalBusiness", "HVACBusiness"]) == "HVAC business"
    assert category_of(["FoodEstablishment", "FastFoodRestaurant"]) == "Fast food restaurant"
    assert category_of(["LocalBusiness", "Thing"]) == ""


def test_no_more_businesses_are_read_than_wanted():
    nodes = [{"@type": "Hotel", "name": f"H{number}"} for number in range(5)]
    body = f'<script type="application/ld+json">{json.dumps(nodes)}</script>'.encode()

    found = extract(body, AT, "text/html", most_items=3)

    assert len(found.items) == 3
    assert found.problems == ["There are 5 businesses: only 3 are read."]
