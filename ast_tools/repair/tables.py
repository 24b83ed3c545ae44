"""What was learnt from clean code and from repairs that people made, for each language; made by `bench.tables`."""

import gzip
import json
import sys
from array import array
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ast_tools.languages import Language
from ast_tools.lexer import Token
from ast_tools.repair.likelihood import CLASSES, MAX_SYMBOLS, Counts, Followers, counted
from ast_tools.repair.vocabulary import spelling


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Counts of tokens in clean code and the weights of what can be seen of a repair.

    `trusted`: classes of edits that were right as a rule where they led the others.
    """

    counts: Counts
    weights: dict[str, float]
    trusted: frozenset[str] = frozenset()


_TYPES = {"contexts": "Q", "starts": "I", "units": "H", "numbers": "I", "sums": "I"}


RELATED = {"csharp": "java", "php": "javascript", "kotlin": "typescript", "swift": "typescript", "scala": "typescript",
           "zig": "rust"}  # fmt: skip
"""Languages without a table of their own and those whose statements look most like theirs."""
GENERAL = "general"
"""The table of weights that were learnt from all languages; it has no counts."""


@cache
def table(language: Language) -> Table | None:
    """The table of a language, of the one it extends, or of one that is written much like it; None without any."""
    for name in (language.name, *reversed(language.queries), RELATED.get(language.name, "")):
        if (found := _stored(name)) is not None:
            return found
    return None


@cache
def _stored(name: str) -> Table | None:
    path = files("ast_tools") / "repair" / "data" / f"{name}.gz"
    return unpacked(path.read_bytes()) if path.is_file() else None


def of_text(language: Language, text: bytes, found: list[Token]) -> Table | None:
    """A table for a language without one: a text's own tokens are counted, weights are those of all languages."""
    general = _stored(GENERAL)
    if general is None:
        return None
    common = Counter(spelling(token) for token in found).most_common(MAX_SYMBOLS - len(CLASSES))
    symbols = list(dict.fromkeys([*CLASSES, *(spelt for spelt, _ in common)]))
    return Table(counted(language, [(found, text)], symbols, (1,) * 5), general.weights, frozenset())


def packed(table: Table, about: str) -> bytes:
    """A table as the bytes of its file, always the same for the same table. `about` names the sources.

    A line of JSON, then arrays of numbers, the lowest byte of each first.
    """
    followers = table.counts.followers
    arrays = {name: array(kind, getattr(followers, name)) for name, kind in _TYPES.items()}
    head = {
        "about": about,
        "symbols": [text.decode("utf-8", "replace") for text in table.counts.spellings],
        "weights": {name: round(weight, 3) for name, weight in sorted(table.weights.items()) if abs(weight) >= 0.005},
        "trusted": sorted(table.trusted),
        "lengths": {name: len(numbers) for name, numbers in arrays.items()},
    }
    body = b"".join(_portable(numbers).tobytes() for numbers in arrays.values())
    return gzip.compress(json.dumps(head, ensure_ascii=False).encode() + b"\n" + body, mtime=0)


def unpacked(stored: bytes) -> Table:
    """The table of a file's bytes."""
    line, _, body = gzip.decompress(stored).partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    arrays, at = {}, 0
    for name, kind in _TYPES.items():
        numbers = array(kind)
        end = at + head["lengths"][name] * numbers.itemsize
        numbers.frombytes(body[at:end])
        arrays[name], at = _portable(numbers), end
    counts = Counts([text.encode() for text in head["symbols"]], Followers(**arrays))
    return Table(counts, head["weights"], frozenset(head["trusted"]))


def _portable(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
