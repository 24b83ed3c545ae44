"""A conditional logit over sparse binary features: of the options of one case the right one should score highest.

Fitted with Adam (Kingma and Ba, 2015) on all cases at once, with a quadratic penalty. Each feature has a weight that
all groups share and one for each group (Daumé III, 2007), so that what little a group has is added to what all have.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARED_PENALTY, OWN_PENALTY = 1.0, 2.0
STEPS, RATE = 120, 0.1
LEAST_CASES = 4
"""Cases that a feature must occur in."""


@dataclass(frozen=True, slots=True)
class Case:
    """The features of each option of one case, each once, and which options are right. `group`: the language."""

    group: str
    options: tuple[tuple[str, ...], ...]
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
    """The cases as arrays. A pair is a feature and a group that has it.

    `pairs`: the pair of each occurrence of a feature, option by option; `sizes`: how many each option has; `starts`:
    the first option of each case; `features`: the feature of each pair; `frequent`: pairs with a weight of their own.
    """

    names: list[tuple[str, str]]
    pairs: Ints
    sizes: Ints
    starts: Ints
    right: NDArray[np.bool_]
    weights: Floats
    features: Ints
    frequent: NDArray[np.bool_]


def fitted(cases: Sequence[Case]) -> Model:
    """The model of some cases."""
    matrix = _matrix([case for case in cases if case.right])
    shared, own = _minimum(matrix)
    found: dict[str, float] = {}
    by_group: dict[str, dict[str, float]] = {}
    for pair, (group, feature) in enumerate(matrix.names):
        found[feature] = float(shared[matrix.features[pair]])
        if matrix.frequent[pair]:
            by_group.setdefault(group, {})[feature] = float(own[pair])
    return Model(found, by_group)


def _matrix(cases: Sequence[Case]) -> _Matrix:
    counts = _counted(cases)
    totals: Counter[str] = Counter()
    for (_, feature), count in counts.items():
        totals[feature] += count
    names = sorted(pair for pair in counts if totals[pair[1]] >= LEAST_CASES)
    numbers = {pair: number for number, pair in enumerate(names)}
    features = {feature: number for number, feature in enumerate(sorted({feature for _, feature in names}))}
    options = [(case.group, option) for case in cases for option in case.options]
    found = [[numbers[group, f] for f in option if (group, f) in numbers] for group, option in options]
    return _Matrix(
        names=names,
        pairs=np.fromiter(chain.from_iterable(found), np.int64),
        sizes=np.array([len(one) for one in found]),
        starts=np.cumsum([0, *(len(case.options) for case in cases[:-1])]),
        right=np.array([option in case.right for case in cases for option in range(len(case.options))]),
        weights=np.array([case.weight for case in cases]),
        features=np.array([features[feature] for _, feature in names]),
        frequent=np.array([counts[pair] >= LEAST_CASES for pair in names]),
    )


def _counted(cases: Sequence[Case]) -> Counter[tuple[str, str]]:
    """In how many cases of a group each feature occurs."""
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        seen.update((case.group, feature) for feature in frozenset[str]().union(*case.options))
    return seen


def _minimum(matrix: _Matrix) -> tuple[Floats, Floats]:
    """The weights with the least loss, shared and own. The rate falls to nothing along a cosine."""
    size = int(matrix.features.max()) + 1
    weights = np.zeros(size + len(matrix.names))
    penalties = np.repeat([SHARED_PENALTY, OWN_PENALTY], [size, len(matrix.names)])
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        slope = _slope(matrix, weights[:size][matrix.features] + weights[size:])
        shared = np.bincount(matrix.features, slope, size)
        both = np.concatenate([shared, np.where(matrix.frequent, slope, 0.0)])
        gradient = (both + penalties * weights) / len(matrix.weights)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient * gradient
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        weights = weights - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return weights[:size], weights[size:]


def _slope(matrix: _Matrix, weights: Floats) -> Floats:
    """Of the negative logarithm of the right options' share, summed over the cases, by the weight of each pair."""
    n_options = len(matrix.sizes)
    options = np.diff(np.append(matrix.starts, n_options))
    sums = np.concatenate([[0.0], np.cumsum(weights[matrix.pairs])])
    ends = np.cumsum(matrix.sizes)
    scores = sums[ends] - sums[ends - matrix.sizes]
    powers = np.exp(scores - np.repeat(np.maximum.reduceat(scores, matrix.starts), options))
    among_all = powers / np.repeat(np.add.reduceat(powers, matrix.starts), options)
    correct = powers * matrix.right
    among_right = correct / np.repeat(np.maximum(np.add.reduceat(correct, matrix.starts), 1e-300), options)
    wrong = (among_all - among_right) * np.repeat(matrix.weights, options)
    return np.bincount(matrix.pairs, np.repeat(wrong, matrix.sizes), len(weights)).astype(np.float64)
