"""What comes of a prompt, when the call as such succeeded."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

#: Tokens after which an answer is cut; far more than any schema here asks for, thoughts included.
LONGEST_ANSWER: Final = 8192

Value = TypeVar("Value", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a call was counted as: the prompt, and the answer with what the model thought before it."""

    prompt: int
    answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """An answer as it came."""

    text: str
    tokens: Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """The model's owner refused the prompt, or withheld the answer; asking again would change nothing."""

    #: Google's name for it, e.g. `SAFETY`.
    reason: str
    model: str
    tokens: Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated(Generic[Value]):
    """An answer that fits its schema."""

    value: Value
    model: str
    tokens: Tokens
