"""The head of a model card: the YAML between two `---` lines at the top of README.md.

Only what such heads are made of is read: scalars and lists of scalars at the top level, every scalar as text. Anything
nested (evaluation results, widgets) is passed over. A card cannot fail a conversion.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

Card = Mapping[str, str | tuple[str, ...]]

_LONGEST = 1 << 20  # bytes of README.md that are looked at
_KEY = re.compile(r"([A-Za-z_][\w.\-]*)[ \t]*:(?:[ \t]+(.*))?$")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)$")
_NESTED = re.compile(r"[\w.\-]+:(?:\s|$)|[{\[|>&*!]")
_PLAIN_END = re.compile(r"[ \t]+#.*$")
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


def read_card(folder: Path) -> Card:
    """Keys and values of the model card in this folder; nothing when there is none."""
    path = folder / "README.md"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        lines = file.read(_LONGEST).decode("utf-8", "replace").splitlines()
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        return {}
    return dict(_entries(lines[1 : lines.index("---", 1)]))


def _entries(lines: list[str]) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    starts = [index for index, line in enumerate(lines) if _KEY.match(line)]
    for start, stop in zip(starts, [*starts, len(lines)][1:], strict=True):
        key, inline = _matched(_KEY, lines[start])
        value = _inline(inline) if inline.strip() else _items(lines[start + 1 : stop])
        if value:
            yield key, value


def _inline(text: str) -> str | tuple[str, ...] | None:
    if text.startswith("["):
        inside = _PLAIN_END.sub("", text).strip()[1:-1]
        return tuple(filter(None, (_scalar(part) for part in inside.split(","))))
    return _scalar(text)


def _items(lines: list[str]) -> tuple[str, ...] | None:
    found = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        item = _ITEM.match(line)
        scalar = _scalar(item[1]) if item else None
        if scalar is None:
            return None
        found.append(scalar)
    return tuple(found)


def _scalar(text: str) -> str | None:
    """The text of one value; None for nothing, and for what is not a scalar."""
    text = text.strip()
    if len(text) >= 2 and text[0] in "'\"" and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    if _NESTED.match(text):
        return None
    text = _PLAIN_END.sub("", text)
    return None if text in _NOTHING else text


def _matched(pattern: re.Pattern[str], line: str) -> tuple[str, str]:
    found = pattern.match(line)
    assert found is not None
    return found[1], found[2] or ""
