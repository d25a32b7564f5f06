"""The stand-in's control API, under `/_standin/`: how tests and operators steer it from outside."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from embeddings.standin.faults import FAULTS, InvalidRule, Rule
from embeddings.standin.service import StandIn
from embeddings.standin.wire import Reply

PREFIX = "/_standin/"

#: What `GET /_standin/` answers.
HELP = {
    "GET state": "totals, quotas used, rules in force, keys, latency",
    "GET log?since=N": "calls with a number above N, oldest first",
    "POST faults": "a rule, or a list of them: {fault, calls?, after?, probability?, seed?, marker?, retry_after?}",
    "DELETE faults": "take all rules back",
    "POST latency": "{seconds?, trickle?}: how long an answer takes, and the time between bytes that trickle",
    "POST quotas": "{rpm?, tpm?, rpd?}: limits in texts, tokens, texts; null is unlimited",
    "POST keys": '{accept?, revoke?, restore?}: lists of keys; "*" is all of them; accepting none accepts any',
    "POST answers": "[{marker, text}]: what generateContent answers to prompts with a marker",
    "POST reset": "no rules, no revocations, no scripted answers, and all counts at zero",
    "faults": FAULTS,
}


class InvalidRequest(ValueError):
    """A control request that is not understood; the message says why."""


def controlled(standin: StandIn, method: str, path: str, query: str, body: bytes) -> Reply:
    """Answer a control request; `path` is what follows the prefix. 400 with `error` when it is not understood."""
    action = _ACTIONS.get((method, path.strip("/")))
    if action is None:
        return _readable({"error": f"There is no {method} {PREFIX}{path}.", "actions": HELP}, 404)
    try:
        given = orjson.loads(body) if body else {}
        if query:
            given = {name: values[-1] for name, values in parse_qs(query).items()}
        return _readable(action(standin, given))
    except (InvalidRule, InvalidRequest, orjson.JSONDecodeError) as error:
        return _readable({"error": str(error)}, 400)


def _readable(answer: Any, status: int = 200) -> Reply:
    """JSON with line breaks, for a person with curl."""
    return Reply(status, orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def state(standin: StandIn, given: Any = None) -> dict[str, Any]:
    """Everything there is to know, except the log."""
    quotas = standin.quotas
    return {
        "totals": standin.log.totals(),
        "quotas": {"rpm": quotas.rpm, "tpm": quotas.tpm, "rpd": quotas.rpd, **quotas.used()},
        "faults": standin.faults.described(),
        "keys": standin.keys.described(),
        "latency": standin.latency,
        "trickle": standin.trickle,
        "answers": [{"marker": marker, "text": text} for marker, text in standin.answers],
    }


def _log(standin: StandIn, given: Any) -> dict[str, Any]:
    since = _fields(given, {"since": str}).get("since", "0")
    if not since.isdigit():
        raise InvalidRequest(f"since={since!r} is not a number")
    return {"calls": standin.log.calls(int(since))}


def _add_faults(standin: StandIn, given: Any) -> dict[str, Any]:
    rules = [Rule.parsed(_fields(each, None)) for each in (given if isinstance(given, list) else [given])]
    for rule in rules:
        standin.faults.add(rule)
    return state(standin)


def _clear_faults(standin: StandIn, given: Any) -> dict[str, Any]:
    standin.faults.clear()
    return state(standin)


def _latency(standin: StandIn, given: Any) -> dict[str, Any]:
    fields = _fields(given, {"seconds": int | float, "trickle": int | float})
    if any(value < 0 for value in fields.values()):
        raise InvalidRequest("a time is not negative")
    standin.latency = float(fields.get("seconds", standin.latency))
    standin.trickle = float(fields.get("trickle", standin.trickle))
    return state(standin)


def _quotas(standin: StandIn, given: Any) -> dict[str, Any]:
    for name, limit in _fields(given, dict.fromkeys(("rpm", "tpm", "rpd"), int | None)).items():
        setattr(standin.quotas, name, limit)
    return state(standin)


def _keys(standin: StandIn, given: Any) -> dict[str, Any]:
    fields = _fields(given, dict.fromkeys(("accept", "revoke", "restore"), list))
    for name, keys in fields.items():
        if not all(isinstance(key, str) for key in keys):
            raise InvalidRequest(f"{name} is not a list of texts")
    if "accept" in fields:
        standin.keys.accept(fields["accept"])
    standin.keys.revoke(fields.get("revoke", ()))
    standin.keys.restore(fields.get("restore", ()))
    return state(standin)


def _answers(standin: StandIn, given: Any) -> dict[str, Any]:
    scripted = [_fields(each, {"marker": str, "text": str}) for each in (given if isinstance(given, list) else [given])]
    standin.answers = [(each.get("marker", ""), each.get("text", "")) for each in scripted]
    return state(standin)


def _reset(standin: StandIn, given: Any) -> dict[str, Any]:
    standin.reset()
    return state(standin)


def _fields(given: Any, types: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of a JSON object, each of its type; with `types=None` they are not looked at."""
    if not isinstance(given, dict):
        raise InvalidRequest("a JSON object is expected")
    for name, value in given.items():
        if types is not None and (name not in types or not isinstance(value, types[name]) or isinstance(value, bool)):
            raise InvalidRequest(f"{name}={value!r} is not understood; expected {', '.join(types)}")
    return given


_ACTIONS: dict[tuple[str, str], Callable[[StandIn, Any], Any]] = {
    ("GET", ""): lambda standin, given: HELP,
    ("GET", "state"): state,
    ("GET", "log"): _log,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "latency"): _latency,
    ("POST", "quotas"): _quotas,
    ("POST", "keys"): _keys,
    ("POST", "answers"): _answers,
    ("POST", "reset"): _reset,
}
