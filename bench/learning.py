"""Learns which repair people mean: weights of what can be seen of repairs, from cases with the right one."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ast_tools.repair.judging import leads
from ast_tools.repair.ranking import CLASS, Features, score

TRUST = 0.9
"""Share of right repairs of a class that may be applied unasked."""
LEAST_SEEN = 6
EPOCHS, RATE, DECAY = 15, 0.3, 0.1

Array = NDArray[Any]
Row = list[tuple[bool, Features]]
"""One case: its repairs that the parser takes, whether each is the right one, and what can be seen of it."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """Weights, and the classes of repairs that are right as a rule."""

    weights: dict[str, float]
    trusted: frozenset[str]


def learnt(folds: Sequence[Sequence[Row]]) -> Learnt:
    """From cases in folds. Whether a class is right as a rule is asked in each fold of weights from the others."""
    tested = [(rows, weights(without(folds, number))) for number, rows in enumerate(folds)]
    return Learnt(weights(folds), trusted(tested))


def without(folds: Sequence[Sequence[Row]], number: int) -> list[Sequence[Row]]:
    """The other folds."""
    return [rows for at, rows in enumerate(folds) if at != number]


def weights(folds: Sequence[Sequence[Row]]) -> dict[str, float]:
    """Weights that put right repairs first: softmax regression over each case's repairs, by averaged AdaGrad."""
    told = [row for rows in folds for row in rows if len({right for right, _ in row}) == 2]
    names = sorted({name for row in told for _, seen in row for name, _ in seen})
    numbers = {name: number for number, name in enumerate(names)}
    cases = [_case(row, numbers) for row in told]
    rng, order = random.Random(1), list(range(len(cases)))
    found, squares, sums = (np.zeros(len(names)) for _ in range(3))
    for epoch in range(EPOCHS):
        rng.shuffle(order)
        for at in order:
            mine = cases[at].names
            pulled = _slope(cases[at], found[mine]) - DECAY * found[mine]
            squares[mine] += pulled * pulled
            found[mine] += RATE * pulled / np.sqrt(squares[mine] + 1e-6)
        if epoch >= EPOCHS // 2:
            sums += found
    return dict(zip(names, (sums / (EPOCHS - EPOCHS // 2)).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Case:
    """One case: the numbers of what can be seen of any repair, how much of each [repair, name], and which are right."""

    names: Array
    values: Array
    right: Array


def _case(row: Row, numbers: dict[str, int]) -> _Case:
    mine = sorted({numbers[name] for _, seen in row for name, _ in seen})
    columns = {number: column for column, number in enumerate(mine)}
    values = np.zeros((len(row), len(mine)))
    for line, (_, seen) in enumerate(row):
        for name, value in seen:
            values[line, columns[numbers[name]]] += value
    return _Case(np.array(mine), values, np.array([right for right, _ in row]))


def _slope(case: _Case, known: Array) -> Array:
    """The gradient of the log-likelihood of the right repairs."""
    scores = case.values @ known
    powers = np.exp(scores - scores.max())
    pulls = np.where(case.right, powers / max(powers[case.right].sum(), 1e-300), 0.0) - powers / powers.sum()
    slope: Array = pulls @ case.values
    return slope


def trusted(tested: Sequence[tuple[Sequence[Row], dict[str, float]]]) -> frozenset[str]:
    """Classes of single edits that are right at least as often as TRUST says where they would be marked sure."""
    right, seen = Counter[str](), Counter[str]()
    for rows, known in tested:
        for row in rows:
            found = sure_class(row, known)
            if found is not None:
                seen[found[0]] += 1
                right[found[0]] += found[1]
    return frozenset(name for name, n in seen.items() if n >= LEAST_SEEN and right[name] + 1 >= TRUST * (n + 2))


def sure_class(row: Row, known: dict[str, float]) -> tuple[str, bool] | None:
    """The class of a case's first repair, if it is one edit and nothing comes near, and whether it is right."""
    ordered = sorted(((score(seen, known), right, seen) for right, seen in row), key=lambda entry: -entry[0])
    if not ordered or not leads([one for one, _, _ in ordered[:2]]):
        return None
    classes = [name.removeprefix(CLASS) for name, _ in ordered[0][2] if name.startswith(CLASS)]
    return (classes[0], ordered[0][1]) if len(classes) == 1 else None
