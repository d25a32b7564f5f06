"""Where collections are shown, and how each surface chooses its themes. A new surface is one entry here."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import django_stubs_ext
from django.utils.translation import gettext_lazy as _


class Source(Enum):
    """Where themes come from."""

    #: Rules of editors that hold on the day.
    RULES = "rules"
    #: Only those that are about an occasion.
    OCCASION_RULES = "occasion rules"
    #: What `occasions.toml` proposes for the occasions of the day.
    OCCASIONS = "occasions"
    #: Clusters of fresh vectors.
    CLUSTERS = "clusters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One surface."""

    name: str
    title: django_stubs_ext.StrOrPromise
    #: In this order, until there are enough collections.
    sources: tuple[Source, ...]
    #: What is added to the closeness of a business to its cluster (a cosine) where it was added lately.
    newness: float = 0.0
    #: What is taken off where the surface has shown it in the last days.
    rarity: float = 0.1


_ALL: Final = (
    Surface(name="home", title=_("Home page"), sources=(Source.RULES, Source.CLUSTERS)),
    Surface(name="discovery", title=_("Discovery"), sources=(Source.CLUSTERS,), newness=0.2, rarity=0.4),
    Surface(
        name="occasion",
        title=_("Occasions"),
        sources=(Source.OCCASION_RULES, Source.OCCASIONS, Source.CLUSTERS),
    ),
)
#: By name.
SURFACES: Final = {surface.name: surface for surface in _ALL}
#: The one that the public home page shows.
HOME: Final = "home"


def title_of(name: str) -> str:
    """Return what a surface is called in the reader's language; one that is gone by its name."""
    return str(SURFACES[name].title) if name in SURFACES else name
