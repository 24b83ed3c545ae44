"""`python -m bench.brackets`: makes the tables of `ast_tools/repair/weights` from the development projects.

Errors of three kinds are planted in them; what tells the right edit from the others is learnt, and the probability a
repair must have to be sure is chosen on projects that were not learnt from. The same input gives the same bytes.

Options: --cases (lost brackets of each language), --languages, --into FOLDER.
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
from ast_tools.repair.weights import GENERAL, SCALE, Table, packed
from bench import corpora
from bench.brackets.logit import Case, fitted
from bench.brackets.samples import Batch, Judged, Sample, judge, sampled
from bench.parallel import spread
from bench.repair.cases import Mode

INTO = Path(weights.__file__).parent / "weights"
CASES, BATCH, SEED = 3000, 25, 4711
MODES: Mapping[Mode, float] = {"delete": 1.0, "extra": 0.12, "swap": 0.12}
"""How many errors of each kind are learnt from, as a share of the lost brackets."""
KEPT = 3000
"""Features of one language in its table."""
LEAST = 0.05
"""Weight of a feature that is worth keeping."""
FOLDS = 2
HELD = 500
"""Lost brackets of each language on which the probability of a sure repair is chosen, in all folds together."""
WRONG = 0.007
"""Share of all cases that may be sure and wrong there. The bound elsewhere is 0.02."""


def main(arguments: list[str]) -> int:
    """Writes the tables and prints what they hold."""
    options = _options(arguments)
    pools = {name: corpora.files(name, "dev") for name in options.languages}
    samples = _samples({name: pool for name, pool in pools.items() if pool}, options.cases)
    sure = _thresholds(pools, samples)
    cases = [sample.case for sample in samples]
    options.into.mkdir(parents=True, exist_ok=True)
    for name, table in _tables(cases, sure).items():
        text = packed(table)
        (options.into / f"{name}.tsv").write_text(text, "ascii")
        Console().print(f"{name}: {len(table.weights)} weights, {len(text):,} bytes, sure from {table.sure:.3f} on")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.brackets", description="Makes the tables of ast_tools.repair.")
    parser.add_argument("--cases", type=int, default=CASES, help="lost brackets of each language")
    parser.add_argument("--languages", nargs="+", choices=list(corpora.SUFFIXES), default=list(corpora.SUFFIXES))
    parser.add_argument("--into", type=Path, default=INTO)
    return parser.parse_args(arguments)


def _samples(pools: dict[str, tuple[corpora.File, ...]], cases: int) -> list[Sample]:
    batches = [
        Batch(language, mode, SEED, tuple(range(at, min(at + BATCH, int(cases * share)))))
        for mode, share in MODES.items()
        for language in pools
        for at in range(0, int(cases * share), BATCH)
    ]
    found = [sample for _, some in spread(partial(sampled, pools), batches, "planting errors") for sample in some]
    return sorted(found, key=lambda sample: (sample.case.group, sample.mode, sample.number))


# -- when a repair is sure -----------------------------------------------------------------------------------------


def _thresholds(pools: dict[str, tuple[corpora.File, ...]], samples: Sequence[Sample]) -> dict[str, float]:
    """By language, and under GENERAL for all together, the least probability with few enough wrong repairs."""
    found = [one for fold in range(FOLDS) for one in _held_out(pools, samples, fold)]
    by_language = {name: _threshold([one for one in found if one.language == name]) for name in pools}
    return {**by_language, GENERAL: max(by_language.values(), default=1.0)}


def _held_out(pools: dict[str, tuple[corpora.File, ...]], samples: Sequence[Sample], fold: int) -> list[Judged]:
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
            scores = tuple(sum(learnt.get(f, 0.0) for f in option) for option in sample.case.options)
            tasks.append((sample, scores))
    return [one for _, one in spread(partial(judge, pools), tasks, f"fold {fold + 1}")]


def _folds(samples: Sequence[Sample]) -> dict[tuple[str, str], int]:
    """The fold of each project of a language: the largest project is apart from the next two, and so on."""
    sizes: Counter[tuple[str, str]] = Counter((sample.case.group, sample.project) for sample in samples)
    found: dict[tuple[str, str], int] = {}
    for language in sorted({name for name, _ in sizes}):
        mine = sorted((key for key in sizes if key[0] == language), key=lambda key: (-sizes[key], key))
        found |= {key: number % FOLDS for number, key in enumerate(mine)}
    return found


def _threshold(found: Sequence[Judged]) -> float:
    """The least probability from which on at most WRONG of all cases are wrong."""
    wrong, allowed = 0, WRONG * len(found)
    threshold = 1.0
    for one in sorted(found, key=lambda one: -one.share):
        wrong += not one.right
        if wrong > allowed:
            break
        threshold = one.share
    return threshold


# -- the tables ----------------------------------------------------------------------------------------------------


def _tables(cases: Sequence[Case], sure: Mapping[str, float]) -> dict[str, Table]:
    """The tables of all languages, fitted again with the features that are kept."""
    names = sorted({case.group for case in cases})
    first = fitted(cases)
    kept = {name: _kept([case for case in cases if case.group == name], first.weights(name)) for name in names}
    model = fitted(cases, kept)
    tables = {
        name: _table({f: w for f, w in model.weights(name).items() if f in kept[name]}, sure[name]) for name in names
    }
    together = [replace(case, group=GENERAL) for case in cases]
    first = fitted(together)
    model = fitted(together, {GENERAL: _kept(together, first.weights(GENERAL))})
    return {**tables, GENERAL: _table(model.weights(GENERAL), sure[GENERAL])}


def _kept(cases: Sequence[Case], learnt: Mapping[str, float]) -> frozenset[str]:
    """The features with the largest weights, those that occur in many cases before others."""
    seen: Counter[str] = Counter()
    for case in cases:
        seen.update(frozenset().union(*case.options))
    told = {f: abs(learnt[f]) * seen[f] ** 0.5 for f in seen if abs(learnt.get(f, 0.0)) >= LEAST and _writable(f)}
    return frozenset(sorted(told, key=lambda feature: (-told[feature], feature))[:KEPT])


def _writable(feature: str) -> bool:
    return feature.isascii() and feature.isprintable()


def _table(learnt: Mapping[str, float], sure: float) -> Table:
    rounded = {feature: round(weight * SCALE) for feature, weight in learnt.items()}
    return Table({feature: weight for feature, weight in rounded.items() if weight}, sure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
