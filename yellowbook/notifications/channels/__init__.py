"""How messages go. A channel is one file here and one entry below."""

from collections.abc import Mapping
from typing import Final

from yellowbook.notifications.channels import email, webhook
from yellowbook.notifications.channels.base import Channel, Said
from yellowbook.notifications.models import Delivery

CHANNELS: Final[Mapping[str, Channel]] = {
    Delivery.Channel.WEBHOOK: webhook.channel,
    Delivery.Channel.EMAIL: email.channel,
}

__all__ = ["CHANNELS", "Channel", "Said"]
