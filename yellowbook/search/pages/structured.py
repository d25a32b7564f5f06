"""What a business page tells programs: schema.org's LocalBusiness as JSON-LD."""

import json
from typing import Any, Final

from django.utils.safestring import SafeString, mark_safe

from yellowbook.directory.models import Business
from yellowbook.search.pages import contact
from yellowbook.search.pages.prices import price_signs

#: What would end the script, or begin a comment in it, as JSON spells it otherwise; as Django's `json_script` does.
_ESCAPES: Final = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def local_business(business: Business, page: str) -> dict[str, Any]:
    """Return what schema.org calls a LocalBusiness, without what is not known; `page` is its address here."""
    website = contact.website(business)
    position = contact.coordinates(business)
    geo: dict[str, Any] = {}
    if position is not None:
        geo = {"@type": "GeoCoordinates", "latitude": float(position[0]), "longitude": float(position[1])}
    address = {"@type": "PostalAddress", "streetAddress": business.address, "addressLocality": business.city}
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "LocalBusiness",
        "@id": page,
        "name": business.name,
        "description": business.description,
        "url": website.url if website and website.url else page,
        "telephone": ", ".join(way.shown for way in contact.phones(business) if way.url),
        "email": business.email,
        "address": {name: value for name, value in address.items() if value},
        "geo": geo,
        "priceRange": price_signs(business.price_level or 0),
    }
    return {name: value for name, value in told.items() if value}


def as_script(told: dict[str, Any]) -> SafeString:
    """Return JSON that may stand inside `<script>`, whatever its texts are."""
    return mark_safe(json.dumps(told, ensure_ascii=False).translate(_ESCAPES))  # noqa: S308
