"""The parsers. Adding one is a file with a function from `Document` to `Found`, and a line here."""

from collections.abc import Callable
from typing import Final

from yellowbook.catalogue.extract import feeds, json_ld, microdata, rdfa
from yellowbook.catalogue.extract.document import Document, Found

Parser = Callable[[Document], Found]

#: By name, the most trusted first: of two that tell of one business, the first one's words count, the other fills in.
PARSERS: Final[dict[str, Parser]] = {
    "json-ld": json_ld.read,
    "microdata": microdata.read,
    "rdfa": rdfa.read,
    "json": feeds.read_json,
    "csv": feeds.read_table,
}
