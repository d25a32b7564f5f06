"""Who is told: an owner is `kind:id`, and the app that has owners of a kind says how one is reached.

register_owner("seller", lambda seller_id: Recipient(webhook_url=..., secret=..., email=...))
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """How an owner is reached now; what is empty is no way to do so."""

    #: Part of the address may be a secret.
    webhook_url: str = field(default="", repr=False)
    #: Key that signs webhooks: `whsec_` and base64.
    secret: str = field(default="", repr=False)
    email: str = ""


#: Takes the part of an owner behind the colon; None when there is no such owner (any more).
Lookup = Callable[[str], Recipient | None]

_lookups: dict[str, Lookup] = {}


class UnknownOwner(LookupError):
    """No installed app has owners of this kind."""


def register_owner(kind: str, lookup: Lookup) -> None:
    """Make a kind of owners known, from an app's `ready`; a second, different lookup of one kind is a mistake."""
    if _lookups.setdefault(kind, lookup) is not lookup:
        raise ValueError(f"owners of the kind {kind!r} are already looked up elsewhere")


def recipient_of(owner: str) -> Recipient | None:
    """Return how `owner` is reached, None when there is no such owner; raises `UnknownOwner`."""
    kind, _, key = owner.partition(":")
    try:
        lookup = _lookups[kind]
    except KeyError:
        known = ", ".join(sorted(_lookups)) or "none"
        raise UnknownOwner(f"unknown kind of owner {kind!r}: this installation knows {known}") from None
    return lookup(key)
