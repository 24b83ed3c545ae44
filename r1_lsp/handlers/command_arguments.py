"""Arguments of our commands, which are foreign JSON: a list, or one object with the same names."""

from collections.abc import Sequence
from typing import Any

from lsprotocol import types


def named(arguments: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """The arguments by name; None for what is missing."""
    if len(arguments) == 1 and isinstance(arguments[0], dict):
        return {name: arguments[0].get(name) for name in names}
    return {name: arguments[at] if at < len(arguments) else None for at, name in enumerate(names)}


def position_in(value: object) -> types.Position | None:
    """A position, or None for anything else."""
    match value:
        case types.Position():
            return value
        case {"line": int(line), "character": int(character)} if line >= 0 and character >= 0:
            return types.Position(line=line, character=character)
    return None


def range_in(value: object) -> types.Range | None:
    """A range, or None for anything else."""
    match value:
        case types.Range():
            return value
        case {"start": start, "end": end}:
            since, until = position_in(start), position_in(end)
            return types.Range(start=since, end=until) if since and until else None
    return None
