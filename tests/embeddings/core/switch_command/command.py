"""Running the command, and answering what it asks."""

import io
import json
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def run(*args: str) -> tuple[str, str, int]:
    """Run the command; return what it said on both streams, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("switch_model", *args, stdout=out, stderr=err, no_color=True)
    except SystemExit as left:
        return out.getvalue(), err.getvalue(), int(left.code or 0)
    except CommandError as error:
        return out.getvalue(), err.getvalue() + str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


def told(*args: str) -> dict[str, Any]:
    out, err, code = run(*args, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


class Terminal(io.StringIO):
    """A person's keyboard."""

    def isatty(self) -> bool:
        return True


def type_in(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
