"""A conditional logit over sparse binary features: of the options of one case the right one should score highest.

Fitted with Adam (Kingma and Ba, 2015) on all cases at once, with a quadratic penalty. Each feature has a weight that
all groups share and one for each group (Daumé III, 2007), so that what little a group has is added to what all have.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARED_PENALTY, OWN_PENALTY = 1.0, 2.0
STEPS, RATE = 200, 0.1
LEAST_CASES = 4
"""Cases that a feature must occur in."""


@dataclass(frozen=True, slots=True)
class Case:
    """The features of each option of one case, and which options are right. `group`: the language."""

    group: str
    options: tuple[frozenset[str], ...]
    right: frozenset[int]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by feature: those that all groups share, and what each group adds."""

    shared: Mapping[str, float]
    own: Mapping[str, Mapping[str, float]]

    def weights(self, group: str) -> dict[str, float]:
        """All weights of a group; of an unknown one those that are shared."""
        added = self.own.get(group, {})
        return {name: self.shared.get(name, 0.0) + added.get(name, 0.0) for name in {*self.shared, *added}}


@dataclass(frozen=True, slots=True)
class _Matrix:
    """The cases as arrays: for each occurrence of a feature its column and its option; for each option its case."""

    columns: Ints
    options: Ints
    cases: Ints
    starts: Ints
    right: NDArray[np.bool_]
    weights: Floats
    penalties: Floats


def fitted(cases: Sequence[Case], kept: Mapping[str, frozenset[str]] | None = None) -> Model:
    """The model of some cases. `kept`: by group the only features it may use; None for all that are frequent."""
    cases = [case for case in cases if case.right]
    names = _frequent(cases, kept)
    matrix = _matrix(cases, names)
    weights = _minimum(matrix, len(names))
    shared: dict[str, float] = {}
    own: dict[str, dict[str, float]] = {}
    for (group, feature), column in names.items():
        (own.setdefault(group, {}) if group else shared)[feature] = float(weights[column])
    return Model(shared, own)


def _frequent(cases: Iterable[Case], kept: Mapping[str, frozenset[str]] | None) -> dict[tuple[str, str], int]:
    """A column for each feature by itself and with its group, where it occurs often enough."""
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        features = frozenset().union(*case.options)
        if kept is not None:
            features &= kept[case.group]
        seen.update(("", feature) for feature in features)
        seen.update((case.group, feature) for feature in features)
    return {name: column for column, name in enumerate(sorted(n for n, count in seen.items() if count >= LEAST_CASES))}


def _matrix(cases: Sequence[Case], names: Mapping[tuple[str, str], int]) -> _Matrix:
    columns: list[int] = []
    lengths: list[int] = []
    owners: list[int] = []
    right: list[bool] = []
    for number, case in enumerate(cases):
        for option, features in enumerate(case.options):
            found = [names[key] for f in features for key in (("", f), (case.group, f)) if key in names]
            columns += sorted(found)
            lengths.append(len(found))
            owners.append(number)
            right.append(option in case.right)
    options = np.repeat(np.arange(len(lengths)), lengths)
    return _Matrix(
        columns=np.array(columns, np.int64),
        options=options,
        cases=np.array(owners, np.int64),
        starts=np.searchsorted(np.array(owners), np.arange(len(cases))),
        right=np.array(right),
        weights=np.array([case.weight for case in cases]),
        penalties=np.array([OWN_PENALTY if group else SHARED_PENALTY for group, _ in names]),
    )


def _minimum(matrix: _Matrix, size: int) -> Floats:
    """The weights with the least loss. The rate falls to nothing along a cosine."""
    weights, mean, square = np.zeros(size), np.zeros(size), np.zeros(size)
    for step in range(1, STEPS + 1):
        gradient = _gradient(matrix, weights)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient * gradient
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        weights = weights - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return weights


def _gradient(matrix: _Matrix, weights: Floats) -> Floats:
    """Of the mean negative logarithm of the right options' share, with the penalty."""
    scores = np.bincount(matrix.options, weights[matrix.columns], len(matrix.cases))
    powers = np.exp(scores - np.maximum.reduceat(scores, matrix.starts)[matrix.cases])
    among_all = powers / np.add.reduceat(powers, matrix.starts)[matrix.cases]
    correct = powers * matrix.right
    among_right = correct / np.maximum(np.add.reduceat(correct, matrix.starts), 1e-300)[matrix.cases]
    wrong = (among_all - among_right) * matrix.weights[matrix.cases]
    slope = np.bincount(matrix.columns, wrong[matrix.options], len(weights))
    result: Floats = (slope + matrix.penalties * weights) / len(matrix.weights)
    return result
