"""The one error of `yellowbook.local`."""


class LocalError(Exception):
    """Something a person has to put right; the message is shown as it is, without a traceback."""
