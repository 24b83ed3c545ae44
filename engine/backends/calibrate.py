"""What can only be measured: how many threads are best, how fast this machine runs this model, whether it can infill.

Measured once per processor and model file, kept in the cache directory, and raised by what real requests show. ggml's
threads spin while they wait for each other: with two threads and one of two cores busy a model that decodes 58 tokens/s
on one thread decodes 3. So one core is always left to the others.
"""

import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from engine.backends.backend import Backend, LoadProgress, Part
from engine.prompt.pieces import Piece
from engine.types import InfillPrompt, Usage

logger = logging.getLogger(__name__)

_SLOT = 0
_PREFILL_TOKENS = 128
_DECODE_TOKENS = 12
_ROUNDS = 3
# With half the threads this much slower, a quarter of them is not tried.
_CLEARLY_SLOWER = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Speeds in tokens per second with `threads` threads; `chars_per_token` on Python code."""

    threads: int
    prefill_tps: float
    decode_tps: float
    chars_per_token: float
    infills: bool


class Tunable(Backend, Protocol):
    """A backend whose threads can be set and which tokenises rendered prompts."""

    def set_threads(self, threads: int) -> None: ...

    def tokenise(self, pieces: Iterable[Piece]) -> list[int]: ...


RenderHole = Callable[[InfillPrompt], list[Piece]]


def measure(
    backend: Tunable, progress: LoadProgress, *, threads: int | None, probe_infill: RenderHole | None
) -> Measured:
    """Measures a freshly loaded backend; its memory is empty again afterwards.

    `threads` fixes the number of threads; `probe_infill` lays a hole out for a model that is not known to infill.
    Takes 1 to 2 s with a small model. The best of several rounds counts: other programs only make things slower.
    """
    code = Path(__file__).read_text("utf-8")
    tokens = backend.tokens_of(code)
    sample = (tokens * (_PREFILL_TOKENS // len(tokens) + 1))[:_PREFILL_TOKENS]
    best = min(_tried(backend, sample, progress, _candidates(threads)), key=lambda speed: speed.cost)
    backend.set_threads(best.threads)
    return Measured(
        threads=best.threads,
        prefill_tps=round(1 / best.prefill_s, 1),
        decode_tps=round(1 / best.decode_s, 1),
        chars_per_token=round(len(code) / len(tokens), 2),
        infills=probe_infill is not None and _infills(backend, probe_infill),
    )


def cached(path: Path, key: str, measure: Callable[[], Measured]) -> Measured:
    """The measurement kept in `path` under `key`; made and kept now if there is none. A broken cache is made anew."""
    try:
        return Measured(**_kept(path)[key])
    except (KeyError, TypeError):
        made = measure()
    keep(path, key, made)
    return made


def keep(path: Path, key: str, measured: Measured) -> None:
    """Writes a measurement into the cache; a cache that cannot be written is only a pity."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps({**_kept(path), key: asdict(measured)}), "utf-8")
        draft.replace(path)
    except OSError as exc:
        logger.warning("what was measured cannot be kept in %s: %s", path, exc.strerror)


def raised(measured: Measured, usage: Usage) -> Measured:
    """The same with the speeds of a served request where those are better.

    Other programs only make a machine slower, so the best that was ever seen says what it can do. Requests too short
    to time are left out.
    """
    n_read = usage.prompt_tokens - usage.cached_tokens
    read = n_read / usage.prefill_s if n_read >= _TIMED_PREFILL and usage.prefill_s > 0 else 0.0
    n_written = usage.completion_tokens - 1
    written = n_written / usage.decode_s if n_written >= _TIMED_DECODE and usage.decode_s > 0 else 0.0
    return replace(
        measured,
        prefill_tps=max(measured.prefill_tps, round(read, 1)),
        decode_tps=max(measured.decode_tps, round(written, 1)),
    )


_TIMED_PREFILL, _TIMED_DECODE = 128, 16


def _kept(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


# -- threads and speeds --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Speed:
    threads: int
    prefill_s: float
    decode_s: float

    @property
    def cost(self) -> float:
        """Seconds of a typical completion: a slice of prompt read, 32 tokens written."""
        return _PREFILL_TOKENS * self.prefill_s + 32 * self.decode_s


def _candidates(threads: int | None) -> list[int]:
    """All cores but one, then half as many, and so on down to one."""
    if threads is not None:
        return [threads]
    count = max(available_cores() - 1, 1)
    candidates = [count]
    while count > 1:
        count //= 2
        candidates.append(count)
    return candidates


def available_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    """What the processor calls itself; a cache made on another one says nothing about this one."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _tried(backend: Tunable, sample: list[int], progress: LoadProgress, candidates: list[int]) -> list[_Speed]:
    speeds: list[_Speed] = []
    for threads in candidates:
        progress(f"measuring speed with {threads} threads", None)
        backend.set_threads(threads)
        speeds.append(_speed(backend, sample, threads))
        if speeds[-1].cost > _CLEARLY_SLOWER * min(speed.cost for speed in speeds):
            break
    return speeds


def _speed(backend: Tunable, sample: list[int], threads: int) -> _Speed:
    prefill_s = decode_s = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        backend.run([Part(_SLOT, 0, sample, wants_logits=True)])
        backend.logits(0)
        read = time.perf_counter()
        for n in range(_DECODE_TOKENS):
            backend.run([Part(_SLOT, len(sample) + n, [sample[n]], wants_logits=True)])
            backend.logits(0)
        written = time.perf_counter()
        backend.rewind(_SLOT, 0)
        prefill_s = min(prefill_s, (read - began) / len(sample))
        decode_s = min(decode_s, (written - read) / _DECODE_TOKENS)
        if written - began > 2.0:  # a large model: once is enough
            break
    return _Speed(threads, prefill_s, decode_s)


# -- infill --------------------------------------------------------------------------------------------------------

# A model that knows how to infill writes exactly this and then stops; one that only continues text goes on.
_HOLES = (
    ("def area(width, height):\n    return ", "\n\n\nprint(area(2, 3))\n", "width * height"),
    ("def read(path):\n    with open(", ") as file:\n        return file.read()\n", "path"),
    ("def is_even(n):\n    return n % 2 == ", "\n\n\nassert is_even(4)\n", "0"),
)
_HOLE_TOKENS = 12


def _infills(backend: Tunable, render: RenderHole) -> bool:
    """Whether at least two of three fixed holes are filled exactly. Markers in a vocabulary prove nothing."""
    filled = 0
    for prefix, suffix, wanted in _HOLES:
        tokens = backend.tokenise(render(InfillPrompt(prefix=prefix, suffix=suffix)))
        filled += _greedy(backend, tokens) == wanted
    return filled >= 2


def _greedy(backend: Tunable, prompt: Sequence[int]) -> str | None:
    """What the model writes until it ends by itself; None when it does not."""
    said, at, pending = b"", 0, list(prompt)
    try:
        for _ in range(_HOLE_TOKENS):
            backend.run([Part(_SLOT, at, pending, wants_logits=True)])
            token = int(backend.logits(0).argmax())
            if backend.ends(token) or not backend.piece(token):
                return said.decode("utf-8", "replace").strip()
            said += backend.piece(token)
            at, pending = at + len(pending), [token]
        return None
    finally:
        backend.rewind(_SLOT, 0)
