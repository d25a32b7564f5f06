"""The versions of the prompt, the newest last. A new one is a file of its own and an entry here.

`ENRICHMENT_PROMPT` says which one is in use; a run with another one is started with its version as an option.
"""

from typing import Final

from yellowbook.enrichment.prompts import version_1, version_2
from yellowbook.enrichment.prompts.base import Prompt

PROMPTS: Final[dict[str, Prompt]] = {each.version: each for each in (version_1.prompt, version_2.prompt)}
NEWEST: Final = list(PROMPTS)[-1]

__all__ = ["NEWEST", "PROMPTS", "Prompt"]
