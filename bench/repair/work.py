"""Cases in batches, for processes of their own."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass

from bench.corpora import File
from bench.repair.arms import ARMS
from bench.repair.cases import Batch, Mode, case
from bench.repair.classes import Failure, failure
from bench.repair.judge import Outcome, outcome


@dataclass(frozen=True, slots=True)
class Done:
    """What the arms made of one case, and why ours went wrong if it did."""

    language: str
    mode: Mode
    seed: int
    number: int
    project: str
    path: str
    outcomes: dict[str, Outcome]
    failure: Failure | None


def worked(pools: dict[str, tuple[File, ...]], batch: Batch) -> list[Done]:
    """All arms on the cases of a batch; runs in a process of its own."""
    return [done for number in batch.numbers if (done := _worked(pools[batch.language], batch, number)) is not None]


_warm: set[str] = set()


def _worked(pool: Sequence[File], batch: Batch, number: int) -> Done | None:
    made = case(pool, batch.mode, batch.seed, number)
    if made is None:
        return None
    if batch.language not in _warm:  # Or the first case would pay for grammars and patterns.
        _warm.add(batch.language)
        for arm in ARMS.values():
            outcome(made, arm)
        gc.freeze()  # As the server and `check` do; else collections that look at all projects fall on some cases.
    outcomes = {name: outcome(made, arm) for name, arm in ARMS.items()}
    mine = outcomes["ours"]
    return Done(
        language=batch.language, mode=batch.mode, seed=batch.seed, number=number, project=made.file.project,
        path=str(made.file.path), outcomes=outcomes, failure=None if mine.right else failure(made, mine),
    )  # fmt: skip
