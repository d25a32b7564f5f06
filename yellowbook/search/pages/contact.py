"""Ways to reach a business, as links that are safe whatever the fields hold."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from yellowbook.directory.models import Business

#: Digits that a telephone number has at least.
FEWEST_DIGITS: Final = 5
_MAP: Final = "https://www.openstreetmap.org"


@dataclass(frozen=True, slots=True)
class Way:
    """Something to read, and where it leads; an empty `url`: nowhere."""

    shown: str
    url: str = ""


def phones(business: Business) -> list[Way]:
    """Return the telephone numbers, which stand with commas, semicolons or slashes between them."""
    return [_phone(part.strip()) for part in re.split(r"[,;/\n]", business.phone) if part.strip()]


def _phone(text: str) -> Way:
    digits = re.sub(r"[^\d+]", "", text)
    is_number = re.fullmatch(rf"\+?[0-9]{{{FEWEST_DIGITS},15}}", digits) and not re.search(r"[^\W\d_]", text)
    return Way(text, f"tel:{digits}" if is_number else "")


def email(business: Business) -> Way | None:
    """Return the email address."""
    return Way(business.email, f"mailto:{quote(business.email, safe='@')}") if business.email else None


def website(business: Business) -> Way | None:
    """Return the website, shown without its scheme; what is no web address leads nowhere."""
    if not business.website:
        return None
    try:
        parts = urlsplit(business.website)
    except ValueError:
        return Way(business.website)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return Way(business.website)
    shown = parts.netloc.removeprefix("www.") + parts.path.rstrip("/")
    return Way(shown, business.website)


def map_link(business: Business) -> str:
    """Return the page of OpenStreetMap with the place, or with a search for its address."""
    if (position := coordinates(business)) is None:
        place = ", ".join(part for part in (business.address, business.city) if part)
        return f"{_MAP}/search?{urlencode({'query': place})}"
    latitude, longitude = position
    return f"{_MAP}/?{urlencode({'mlat': latitude, 'mlon': longitude})}#map=17/{latitude}/{longitude}"


def geo_link(business: Business) -> str:
    """Return the address that opens the visitor's own map; empty without coordinates."""
    position = coordinates(business)
    return f"geo:{position[0]},{position[1]}" if position else ""


def coordinates(business: Business) -> tuple[str, str] | None:
    """Return latitude and longitude in degrees, to 0.1 m, in the same digits for every language."""
    if business.latitude is None or business.longitude is None:
        return None
    return f"{business.latitude:.6f}", f"{business.longitude:.6f}"
