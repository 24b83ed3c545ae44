"""What was learnt about edits of brackets: a weight for every feature, and how likely a sure repair must be.

`bench.train_brackets` makes the tables from the development projects of `bench.corpora`; one for each language it has
projects of, and one of all of them together for the others. The score of an edit is the sum of its features' weights;
the probabilities of the edits of one region are their scores' softmax (a conditional logit, McFadden 1974).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ast_tools.languages import Language

GENERAL = "general"
SCALE = 100
"""Weights are stored in hundredths."""
UNSURE = 2.0
"""A probability that none has."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Weights in hundredths by feature; `sure` is the least probability of a repair that may be made unasked."""

    weights: Mapping[str, int]
    sure: float

    def score(self, features: Iterable[str]) -> float:
        """The logarithm of how likely an edit is, up to a constant that all edits of a region share."""
        weights = self.weights
        return sum(weights[feature] for feature in features if feature in weights) / SCALE


def table(language: Language) -> Table:
    """The table of a language, or the one for all."""
    return _stored(language.name) or _stored(GENERAL) or Table({}, UNSURE)


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
    """A table as the text of its file: the least probability, then a feature and its weight on each line."""
    lines = [f"{table.sure:.4f}", *(f"{feature}\t{weight}" for feature, weight in sorted(table.weights.items()))]
    return "\n".join(lines) + "\n"


def unpacked(stored: str) -> Table:
    """The table of a file's text."""
    first, *lines = stored.rstrip("\n").split("\n")
    pairs = (line.rsplit("\t", 1) for line in lines)
    return Table({feature: int(weight) for feature, weight in pairs}, float(first))
