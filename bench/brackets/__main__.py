"""`python -m bench.brackets`: makes the tables of `ast_tools/repair/weights` from the development projects.

Errors of three kinds are planted in them; what tells the right edit from the others is learnt, and the probability a
repair must have to be sure is chosen on projects that were not learnt from. The same input gives the same bytes.

Options: --cases (lost brackets of each language), --languages.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

from ast_tools.repair import weights
from ast_tools.repair.weights import GENERAL, SCALE, UNSURE, Table, packed
from bench import corpora
from bench.brackets.logit import Case, fitted
from bench.brackets.samples import Judged, Sample, common_words, judge, sampled
from bench.parallel import spread
from bench.repair.cases import Batch, Mode

INTO = Path(weights.__file__).parent / "weights"
CASES, BATCH, SEED = 2500, 25, 4711
MODES: Mapping[Mode, float] = {"delete": 1.0, "extra": 0.12, "swap": 0.05}
"""How many errors of each kind are learnt from, as a share of the lost brackets."""
KEPT, ELSEWHERE = 8000, 0.1
"""Features of one language in its table, and what a case of another language counts in their choice."""
LEAST = 0.05
"""Weight of a feature that is worth keeping."""
FOLDS = 2
HELD = 400
"""Lost brackets of each language on which the probability of a sure repair is chosen, in all folds together."""
WRONG = 0.007
"""Share of all cases that may be sure and wrong there. The bound elsewhere is 0.02."""
LEAST_SURE = 0.85
"""Probability that a sure repair must have at any rate: there are few cases, and people are asked about less."""

Pools = dict[str, tuple[corpora.File, ...]]


def main(arguments: list[str]) -> int:
    """Writes the tables and prints what they hold."""
    options = _options(arguments)
    pools = {name: pool for name in options.languages if (pool := corpora.files(name, "dev"))}
    words = {name: common_words(name, pool) for name, pool in pools.items()} | {GENERAL: frozenset[bytes]()}
    for name, known in words.items():  # What is seen of a text depends on the words that are known.
        _write(name, Table({}, known, UNSURE))
    samples = _samples(pools, options.cases)
    sure = _thresholds(pools, samples)
    for name, learnt in _weights([sample.case for sample in samples]).items():
        _write(name, Table(learnt, words[name], sure[name]))
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.brackets", description="Makes the tables of ast_tools.repair.")
    parser.add_argument("--cases", type=int, default=CASES, help="lost brackets of each language")
    parser.add_argument("--languages", nargs="+", choices=list(corpora.SUFFIXES), default=list(corpora.SUFFIXES))
    return parser.parse_args(arguments)


def _write(name: str, table: Table) -> None:
    text = packed(table)
    INTO.mkdir(exist_ok=True)
    (INTO / f"{name}.tsv").write_text(text, "ascii")
    if table.weights:
        Console().print(f"{name}: {len(table.weights)} weights, {len(text):,} bytes, sure from {table.sure:.3f} on")


def _samples(pools: Pools, cases: int) -> list[Sample]:
    batches = [
        Batch(language, mode, SEED, tuple(range(at, min(at + BATCH, int(cases * share)))))
        for mode, share in MODES.items()
        for language in pools
        for at in range(0, int(cases * share), BATCH)
    ]
    made = spread(partial(sampled, pools), batches, "planting errors")
    found = [_interned(sample) for _, some in made for sample in some]
    return sorted(found, key=lambda sample: (sample.case.group, sample.mode, sample.number))


def _interned(sample: Sample) -> Sample:
    """The same with each feature in memory once: there are millions."""
    options = tuple(tuple(sys.intern(feature) for feature in option) for option in sample.case.options)
    return replace(sample, case=replace(sample.case, options=options))


# -- when a repair is sure -------------------------------------------------------------------------------------------


def _thresholds(pools: Pools, samples: Sequence[Sample]) -> dict[str, float]:
    """By language, and under GENERAL for all others, the least probability with few enough wrong repairs."""
    found = [one for fold in range(FOLDS) for one in _held_out(pools, samples, fold)]
    by_language = {name: _threshold([one for one in found if one.language == name]) for name in pools}
    return {**by_language, GENERAL: max(by_language.values(), default=UNSURE)}


def _held_out(pools: Pools, samples: Sequence[Sample], fold: int) -> list[Judged]:
    """How a model does on the projects of one fold that learnt from the others."""
    folds = _folds(samples)
    model = fitted([sample.case for sample in samples if folds[sample.case.group, sample.project] != fold])
    asked: Counter[str] = Counter()
    tasks = []
    for sample in samples:
        language = sample.case.group
        mine = folds[language, sample.project] == fold and sample.mode == "delete"
        if mine and asked[language] < HELD // FOLDS:
            asked[language] += 1
            learnt = model.weights(language)
            tasks.append((sample, tuple(sum(learnt.get(f, 0.0) for f in option) for option in sample.case.options)))
    return [one for _, one in spread(partial(judge, pools), tasks, f"fold {fold + 1}")]


def _folds(samples: Sequence[Sample]) -> dict[tuple[str, str], int]:
    """The fold of each project of a language; the largest two are apart."""
    sizes = Counter((sample.case.group, sample.project) for sample in samples)
    found: dict[tuple[str, str], int] = {}
    for language in sorted({name for name, _ in sizes}):
        mine = sorted((key for key in sizes if key[0] == language), key=lambda key: (-sizes[key], key))
        found |= {key: number % FOLDS for number, key in enumerate(mine)}
    return found


def _threshold(found: Sequence[Judged]) -> float:
    """The least probability from which on at most WRONG of all cases are wrong."""
    wrong, allowed = 0, WRONG * len(found)
    threshold = UNSURE
    for one in sorted(found, key=lambda one: -one.share):
        wrong += not one.right
        if wrong > allowed:
            break
        threshold = one.share
    return max(threshold, LEAST_SURE)


# -- the weights -----------------------------------------------------------------------------------------------------


def _weights(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """The weights of each language, and of all together, as integers."""
    everywhere = _occurrences(cases)
    model = fitted(cases)
    found = {}
    for name in sorted({case.group for case in cases}):
        here = _occurrences([case for case in cases if case.group == name])
        found[name] = _kept(model.weights(name), here, everywhere)
    together = fitted([replace(case, group=GENERAL) for case in cases])
    return {**found, GENERAL: _kept(together.weights(GENERAL), everywhere, everywhere)}


def _occurrences(cases: Sequence[Case]) -> Counter[str]:
    """In how many cases each feature occurs."""
    seen: Counter[str] = Counter()
    for case in cases:
        seen.update(frozenset[str]().union(*case.options))
    return seen


def _kept(learnt: Mapping[str, float], here: Counter[str], everywhere: Counter[str]) -> dict[str, int]:
    """The KEPT largest weights in steps of 1 / SCALE, those that occur in many cases before others.

    What occurs in other languages only counts a little: it may occur in other projects of this one.
    """
    told = {
        feature: abs(weight) * (here[feature] + ELSEWHERE * everywhere[feature]) ** 0.5
        for feature, weight in learnt.items()
        if abs(weight) >= LEAST and _writable(feature)
    }
    kept = sorted(told, key=lambda feature: (-told[feature], feature))[:KEPT]
    return {feature: round(learnt[feature] * SCALE) for feature in kept}


def _writable(feature: str) -> bool:
    return feature.isascii() and feature.isprintable()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
