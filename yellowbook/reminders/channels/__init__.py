"""How reminders go: one file per channel, found by the channel's name."""

from typing import Final

from yellowbook.reminders.channels import email, push
from yellowbook.reminders.channels.base import Sender
from yellowbook.reminders.models import Channel

CHANNELS: Final[dict[str, Sender]] = {Channel.EMAIL: email.sender, Channel.PUSH: push.sender}
