"""What a version of the prompt consists of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version. A published version is never changed: answers are stored under its name."""

    version: str
    #: What the model is to do; the business and the vocabulary follow as JSON between marks.
    system: str
