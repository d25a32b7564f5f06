"""What can go wrong with a delivery, besides what `catalogue.fetch` knows of the way to a web server."""

from jobs.errors import InvalidInput


class Rejected(InvalidInput):
    """The receiver will not take it, however often it is asked. Permanent.

    Raised without a status code: refusals of an input with one are counted, and twenty in a row pause the lane
    (`jobs.lifecycle.circuit`), but one receiver's refusals say nothing about the others. The delivery has the status.
    """
