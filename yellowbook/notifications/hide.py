"""What a receiver or a library says, without what it may echo: the owner's secret, and the address, often one too."""

from typing import Final
from urllib.parse import unquote, urlsplit

from jobs.clean import MASK, clean
from yellowbook.notifications.owners import Recipient

#: Characters of an answer that are kept.
KEPT: Final = 500
#: Characters that a part of an address has at least to be masked: a shorter one is a word of any text.
SHORTEST: Final = 6


def hidden(text: str, recipient: Recipient) -> str:
    """Return the beginning of `text`, without secrets."""
    for echo in _echoes(recipient):
        text = text.replace(echo, MASK)
    return clean(text).strip()[:KEPT]


def _echoes(recipient: Recipient) -> list[str]:
    """Return what is not to be shown, the longest first."""
    parts = urlsplit(recipient.webhook_url)
    address = {parts.query, parts.path, parts.path.strip("/"), parts.fragment}
    address |= {unquote(each) for each in address}
    secret = {recipient.secret, recipient.secret.removeprefix("whsec_")}
    return sorted(filter(None, secret | {each for each in address if len(each) >= SHORTEST}), key=len, reverse=True)
