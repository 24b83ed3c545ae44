"""What was learnt about edits of brackets: a weight for every feature, and how likely a sure repair must be.

`python -m bench.brackets` makes the tables from the development projects of `bench.corpora`; one for each language that
has projects, and one of all of them together for the others. The score of an edit is the sum of its features' weights;
the probabilities of the edits of one region are their scores' softmax (a conditional logit, McFadden 1974).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import repeat

from ast_tools.languages import Language

GENERAL = "general"
SCALE = 100
"""Weights are stored in hundredths."""
UNSURE = 2.0
"""A probability that none has."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Weights in hundredths by feature; words that many projects use; the least probability of a sure repair."""

    weights: Mapping[str, int]
    words: frozenset[bytes]
    sure: float

    def score(self, features: Iterable[str]) -> float:
        """The logarithm of how likely an edit is, up to a constant that all edits of a region share."""
        return sum(map(self.weights.get, features, repeat(0))) / SCALE


def table(language: Language) -> Table:
    """The table of a language, or the one for all."""
    return _stored(language.name) or _stored(GENERAL) or Table({}, frozenset(), UNSURE)


def shares(scores: Sequence[float]) -> list[float]:
    """The probabilities that belong to scores."""
    if not scores:
        return []
    most = max(scores)
    powers = [math.exp(score - most) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


@cache
def _stored(name: str) -> Table | None:
    path = files("ast_tools") / "repair" / "weights" / f"{name}.tsv"
    return unpacked(path.read_text("ascii")) if path.is_file() else None


def packed(table: Table) -> str:
    """A table as the text of its file: the least probability, the words, then a feature and its weight on each line."""
    words = " ".join(sorted(word.decode("ascii") for word in table.words))
    lines = [f"{table.sure:.4f}", words, *(f"{name}\t{weight}" for name, weight in sorted(table.weights.items()))]
    return "\n".join(lines) + "\n"


def unpacked(stored: str) -> Table:
    """The table of a file's text."""
    sure, words, *lines = stored.rstrip("\n").split("\n")
    pairs = (line.rsplit("\t", 1) for line in lines)
    return Table({name: int(weight) for name, weight in pairs}, frozenset(words.encode("ascii").split()), float(sure))
