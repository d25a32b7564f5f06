"""The names of the jobs that lead listings on; they are registered in `yellowbook.catalogue.kinds`."""

from typing import Final

#: Decides whether a listing may go live.
QUALITY_CONTROL: Final = "quality_control"
#: Publishes a listing.
INDEX_BUSINESS: Final = "index_business"
