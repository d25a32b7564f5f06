"""The stand-in for Google's API as flows steer and read it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yellowbook.fleet.standin import StandIn as Process


class StandIn(Process):
    """`manage.py gemini_standin`; a context manager."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        super().__init__(environment, directory / "standin.log", ["--log-texts"])

    def reset(self) -> None:
        """Forget everything and answer at once."""
        self.steer("POST", "reset", {})
        self.take(0)

    def take(self, seconds: float) -> None:
        """Take so long for every answer; calls under way keep the time that they began with."""
        self.steer("POST", "latency", {"seconds": seconds})

    def fail(self, fault: str | list[str], **rule: Any) -> None:
        """Meet calls with a fault; see `embeddings.standin.faults`."""
        self.steer("POST", "faults", {"fault": fault, **rule})

    def calls(self, marker: str) -> list[list[str]]:
        """Return the texts of each answered call that had `marker` in one of them."""
        calls = [call["text"] for call in self.steer("GET", "log")["calls"]]
        return [texts for texts in calls if any(marker in text for text in texts)]

    def texts(self, marker: str) -> Counter[str]:
        """Return how often each text with `marker` in it was sent."""
        return Counter(text for texts in self.calls(marker) for text in texts if marker in text)

    def say(self, marker: str, text: str) -> None:
        """Answer prompts that hold `marker` with a text."""
        self.steer("POST", "answers", [{"marker": marker, "text": text}])
