"""Names that several files of alerts, and nobody else, share."""

#: The kind of job that delivers one event over one channel.
DELIVER_ALERT = "deliver_alert"
