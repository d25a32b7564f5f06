"""The catalogue and what the sources ask of it, read without GNU gettext."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "mn" / "LC_MESSAGES"
_PACKAGES = ("jobs", "embeddings", "yellowbook")
#: Functions that mark a text: which of their arguments is its context, which are the text and its plural.
_MARKERS: dict[str, tuple[int | None, tuple[int, ...]]] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), (None, (0,))),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (None, (0, 1))),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), (0, (1,))),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (0, (1, 2))),
}
_STRING = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_IN_TEMPLATE = re.compile(rf"\b(_|gettext|ngettext|pgettext|npgettext)\({_STRING}(?:,\s*{_STRING})?(?:,\s*{_STRING})?")


@dataclass
class Entry:
    """One text of the catalogue."""

    context: str = ""
    texts: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    flags: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.context, *self.texts)


def entries() -> list[Entry]:
    """Return what `django.po` has, without its header."""
    found, entry, into = [], Entry(), None
    for line in [*(CATALOGUE / "django.po").read_text().splitlines(), ""]:
        word, _, rest = line.partition(" ")
        if not line:
            found.append(entry)
            entry, into = Entry(), None
        elif line.startswith("#,"):
            entry.flags += line
        elif line.startswith("#"):
            continue
        elif word == "msgctxt":
            entry.context = ast.literal_eval(rest)
        elif word.startswith("msg"):
            into = entry.texts if word in {"msgid", "msgid_plural"} else entry.said
            into.append(ast.literal_eval(rest))
        else:
            assert into, line
            into[-1] += ast.literal_eval(line)
    return [each for each in found if each.texts and each.texts != [""]]


def _marked(name: str, arguments: list[str | None]) -> tuple[str, ...] | None:
    context, texts = _MARKERS[name]
    if any(index >= len(arguments) or arguments[index] is None for index in texts):
        return None
    return (arguments[context] if context is not None else "", *(arguments[index] for index in texts))


def _of_module(path: Path) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKERS:
            given = [
                each.value if isinstance(each, ast.Constant) and isinstance(each.value, str) else None
                for each in node.args
            ]
            key = _marked(node.func.id, given)
            if key is not None:
                yield key


def _of_template(path: Path) -> Iterator[tuple[str, ...]]:
    for found in _IN_TEMPLATE.finditer(templatize(path.read_text())):
        given = [None if each is None else str(ast.literal_eval(each)) for each in found.groups()[1:]]
        key = _marked(found[1], given)
        if key is not None:
            yield key


def marked() -> dict[tuple[str, ...], str]:
    """Return what modules and templates mark for translation, with a file that does."""
    found = {}
    for package in _PACKAGES:
        for path in sorted((settings.BASE_DIR / package).rglob("*.py")):
            found.update(dict.fromkeys(_of_module(path), str(path.relative_to(settings.BASE_DIR))))
    for path in templates():
        found.update(dict.fromkeys(_of_template(path), str(path.relative_to(settings.BASE_DIR))))
    return found


def templates() -> list[Path]:
    """Return the templates of this project."""
    return sorted((settings.BASE_DIR / "templates").rglob("*.html"))
