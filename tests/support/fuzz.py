"""Size and seed of a fuzz test: R1_FUZZ_SCALE scales the default size, R1_FUZZ_SEED repeats a run."""

import os
import random


def scaled(n: int) -> int:
    """The default size times R1_FUZZ_SCALE, at least 1."""
    return max(1, int(n * float(os.environ.get("R1_FUZZ_SCALE", "1"))))


def seeded(name: str) -> random.Random:
    """A generator whose seed is printed (pytest shows it when the test fails)."""
    seed = int(os.environ.get("R1_FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    print(f"{name}: R1_FUZZ_SEED={seed}")
    return random.Random(f"{name} {seed}")


def sized(short: int, long: int) -> int:
    """`short` in the ordinary suite; towards `long`, which is for R1_FUZZ_SCALE of 20, when more is asked for."""
    scale = float(os.environ.get("R1_FUZZ_SCALE", "1"))
    return max(1, int(short * scale if scale <= 1 else max(short, long * scale / 20)))
