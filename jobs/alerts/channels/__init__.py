"""Where messages go, besides the log. A channel is one file here and one entry below."""

from jobs.alerts.channels import email, webhook
from jobs.alerts.channels.base import Channel

#: Every channel by its name, which ends the subject of its jobs.
CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (email.channel, webhook.channel)}


def enabled_channels() -> list[Channel]:
    """Return the channels that the settings switch on."""
    return [channel for channel in CHANNELS.values() if channel.enabled()]


__all__ = ["CHANNELS", "Channel", "enabled_channels"]
