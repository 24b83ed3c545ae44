"""Of the files that end llama.cpp's process nearly all are refused before it sees them, and no sound file is."""

import random
import resource
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import pytest

from engine.models.gguf_header import GgufError
from engine.models.gguf_model import read_model_header
from tests.robustness.gguf_mutations import MUTATORS
from tests.robustness.llama_victim import Fate, fates
from tests.robustness.tiny_gguf import SOUND
from tests.support.fuzz import seeded, sized

FULL = 2000  # under `make fuzz`


@dataclass(frozen=True)
class Mutant:
    """A spoilt file, how it was spoilt, and what we say of it: the sentence, or None when it is accepted."""

    path: Path
    kind: str
    origin: str
    refused: str | None


@pytest.mark.process
def test_no_sound_file_is_refused_and_llama_runs_each(tmp_path: Path) -> None:
    paths = []
    for number, build in enumerate(SOUND.values()):
        path = build().write(tmp_path / f"{number}.gguf")
        read_model_header(path)
        paths.append(path)
    for name, fate in zip(SOUND, fates(paths), strict=True):
        assert fate.outcome == "runs", (name, fate.said)


@pytest.mark.fuzz
@pytest.mark.process
@pytest.mark.timeout(3600)
def test_what_kills_llama_is_refused_first(tmp_path: Path) -> None:
    rng = seeded("kills")
    mutants = list(_mutants(tmp_path, rng, sized(84, FULL)))
    found = dict(zip(mutants, fates([mutant.path for mutant in mutants]), strict=True))
    killers = [mutant for mutant, fate in found.items() if fate.outcome == "dies"]
    missed = {mutant: found[mutant] for mutant in killers if mutant.refused is None}
    _print(mutants, found)
    print(_told(missed))
    for mutant in mutants:
        if mutant not in missed:
            mutant.path.unlink()
    # In a short run two misses are no proof of more than one in twenty.
    assert len(missed) <= max(2, 0.05 * len(killers)), _told(missed)
    if len(mutants) >= FULL:
        assert len(killers) >= 100
        assert len({mutant.kind for mutant in killers}) >= 4


def _mutants(folder: Path, rng: random.Random, count: int) -> Iterator[Mutant]:
    origins = {name: build() for name, build in SOUND.items()}
    kinds = list(MUTATORS)
    slowest = 0.0
    for number in range(count):
        kind, origin = kinds[number % len(kinds)], rng.choice(list(origins))
        path = folder / f"{number}.gguf"
        path.write_bytes(MUTATORS[kind](origins[origin], rng))
        begin = process_time()
        try:
            read_model_header(path)
            refused = None
        except GgufError as exc:
            refused = str(exc)
            assert refused.startswith(str(path))
            assert "\n" not in refused
        slowest = max(slowest, process_time() - begin)
        yield Mutant(path, kind, origin, refused)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{count} files read, the slowest in {slowest:.3f} s; this process used {peak / 1024:.0f} MB at most")
    assert slowest < 2


def _print(mutants: list[Mutant], found: dict[Mutant, Fate]) -> None:
    for kind in MUTATORS:
        of_kind = [mutant for mutant in mutants if mutant.kind == kind]
        outcomes = Counter(found[mutant].outcome for mutant in of_kind)
        dead = [mutant for mutant in of_kind if found[mutant].outcome == "dies"]
        refused = sum(mutant.refused is not None for mutant in dead)
        print(f"{kind}: {len(of_kind)} files, {dict(outcomes)}, of the deadly ones {refused} refused")
    dead = [mutant for mutant, fate in found.items() if fate.outcome == "dies"]
    print(f"deadly: {len(dead)}, refused first: {sum(mutant.refused is not None for mutant in dead)}")


def _told(missed: dict[Mutant, Fate]) -> str:
    return "\n".join(f"{m.kind} of {m.origin}, {m.path.name}: {fate.said}" for m, fate in missed.items())
