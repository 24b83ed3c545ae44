"""Which weight type the default model should have: speed on one thread and perplexity on code, against the original.

    python -m bench.quantisation MODEL.gguf

Every candidate is made from the given file in one run. Speeds are medians over rounds in which all candidates take
turns, in seconds of processor time, so that a busy machine slows all alike. The code is a fixed slice of files of the
standard library.
"""

import argparse
import ctypes
import gc
import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import llama_cpp
import numpy as np

from bench.report import BUILD, Report
from engine.backends.requantise import requantise
from engine.models.default import CHOSEN

CANDIDATES: dict[str, tuple[str, str | None]] = {
    "Q4_0": ("Q4_0", None),
    "Q4_0 emb Q8_0": ("Q4_0", "Q8_0"),
    "Q4_0 emb Q4_0": ("Q4_0", "Q4_0"),
    "Q4_1 emb Q8_0": ("Q4_1", "Q8_0"),
    "IQ4_NL": ("IQ4_NL", None),
    "Q4_K": ("Q4_K", None),
    "Q5_0": ("Q5_0", None),
    "Q5_1": ("Q5_1", None),
    "Q5_K": ("Q5_K", None),
    "Q6_K": ("Q6_K", None),
    "Q6_K emb Q4_0": ("Q6_K", "Q4_0"),
    "Q8_0": ("Q8_0", None),
    "Q8_0 emb Q5_1": ("Q8_0", "Q5_1"),
    "Q8_0 emb Q4_0": ("Q8_0", "Q4_0"),
    "F16": ("F16", None),
}
ORIGINAL = "original"
PROMPT_TOKENS, ANSWER_TOKENS, CHUNK, UNSCORED = 512, 64, 256, 64
SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


@dataclass
class Loaded:
    """A model with a context on one thread."""

    model: int
    context: int
    vocab: int

    def tokens(self, text: str) -> list[int]:
        raw = text.encode()
        out = (llama_cpp.llama_token * (len(raw) + 8))()
        count = llama_cpp.llama_tokenize(self.vocab, raw, len(raw), out, len(out), False, False)
        return list(out[:count])

    def decode(self, tokens: list[int], *, fresh: bool = True, all_logits: bool = False) -> np.ndarray | None:
        """Runs tokens through the model; with `all_logits` returns them, one row per token."""
        if fresh:
            llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        if all_logits:
            return self._scored(tokens)
        if llama_cpp.llama_decode(self.context, batch) != 0:
            raise RuntimeError("llama_decode failed")
        return None

    def _scored(self, tokens: list[int]) -> np.ndarray:
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        try:
            batch.n_tokens = len(tokens)
            for i, token in enumerate(tokens):
                batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
                batch.seq_id[i][0] = 0
            if llama_cpp.llama_decode(self.context, batch) != 0:
                raise RuntimeError("llama_decode failed")
            width = llama_cpp.llama_vocab_n_tokens(self.vocab)
            pointer = llama_cpp.llama_get_logits(self.context)
            return np.ctypeslib.as_array(pointer, shape=(len(tokens), width)).copy()
        finally:
            llama_cpp.llama_batch_free(batch)


@contextmanager
def loaded(path: Path) -> Iterator[Loaded]:
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = 1024, 512, 512
    params.n_threads = params.n_threads_batch = 1
    context = llama_cpp.llama_init_from_model(model, params)
    try:
        yield Loaded(model, context, llama_cpp.llama_model_get_vocab(model))
    finally:
        llama_cpp.llama_free(context)
        llama_cpp.llama_model_free(model)
        gc.collect()


def code_slice() -> str:
    """About 30 kB of the standard library, the same for one Python version: the middle of a few well-known files."""
    import argparse as one
    import heapq as two
    import json.decoder as three
    import tarfile as four
    import textwrap as five

    texts = [Path(module.__file__ or "").read_text("utf-8") for module in (one, two, three, four, five)]
    return "\n".join(text[len(text) // 3 : len(text) // 3 + 6000] for text in texts)


def speed(path: Path, text: str) -> tuple[float, float]:
    """Tokens per second of prefill and of decode."""
    with loaded(path) as model:
        tokens = model.tokens(text)[:PROMPT_TOKENS]
        model.decode(tokens[:32])
        begin = time.process_time()
        model.decode(tokens)
        middle = time.process_time()
        for token in tokens[:ANSWER_TOKENS]:
            model.decode([token], fresh=False)
        end = time.process_time()
    return PROMPT_TOKENS / (middle - begin), ANSWER_TOKENS / (end - middle)


def completion(speeds: tuple[float, float]) -> float:
    """Seconds of a cold completion: a prompt of 512 tokens read and 32 tokens written."""
    prefill, decode = speeds
    return PROMPT_TOKENS / prefill + 32 / decode


def log_probabilities(path: Path, text: str) -> tuple[np.ndarray, np.ndarray]:
    """For each scored token of the text: its log-probability, and the token the model liked best."""
    scores, best = [], []
    with loaded(path) as model:
        tokens = model.tokens(text)
        for start in range(0, len(tokens) - CHUNK, CHUNK):
            chunk = tokens[start : start + CHUNK]
            logits = model.decode(chunk, all_logits=True)
            assert logits is not None
            logits = logits[UNSCORED - 1 : -1].astype(np.float64)
            peak = logits.max(axis=1, keepdims=True)
            total = peak[:, 0] + np.log(np.exp(logits - peak).sum(axis=1))
            scores.append(logits[np.arange(len(logits)), chunk[UNSCORED:]] - total)
            best.append(logits.argmax(axis=1))
    return np.concatenate(scores), np.concatenate(best)


def candidates(source: Path, folder: Path, names: list[str]) -> dict[str, Path]:
    paths = {ORIGINAL: source}
    for name in names:
        type_name, embedding = CANDIDATES[name]
        paths[name] = folder / f"{name.replace(' ', '-')}.gguf"
        requantise(source, paths[name], type_name, embedding=embedding)
    return paths


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quantisation", description="weight types compared")
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=CANDIDATES, default=list(CANDIDATES), help="these types alone")
    options = parser.parse_args()
    llama_cpp.llama_log_set(SILENT, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    folder = BUILD / "quantisation"
    folder.mkdir(parents=True, exist_ok=True)
    paths, text = candidates(options.model, folder, options.only), code_slice()
    llama_cpp.llama_log_set(SILENT, ctypes.c_void_p(0))
    quality = {name: log_probabilities(path, text) for name, path in paths.items()}
    rounds = [{name: speed(path, text) for name, path in paths.items()} for _ in range(options.rounds)]
    return report(paths, quality, rounds)


def report(
    paths: dict[str, Path],
    quality: dict[str, tuple[np.ndarray, np.ndarray]],
    rounds: list[dict[str, tuple[float, float]]],
) -> int:
    table = Report("quantisation")
    base_scores, base_best = quality[ORIGINAL]
    prefill = {name: statistics.median(r[name][0] / r[ORIGINAL][0] for r in rounds) for name in paths}
    decode = {name: statistics.median(r[name][1] / r[ORIGINAL][1] for r in rounds) for name in paths}
    took = {name: statistics.median(completion(r[name]) / completion(r[ORIGINAL]) for r in rounds) for name in paths}
    perplexity = {name: float(np.exp(-scores.mean())) for name, (scores, _) in quality.items()}
    for name, path in paths.items():
        speeds = [statistics.median(r[name][i] for r in rounds) for i in (0, 1)]
        agree = float((quality[name][1] == base_best).mean())
        table.row(
            name,
            f"{path.stat().st_size / 1e6:.0f} MB, prefill {speeds[0]:.0f}/s (x{prefill[name]:.2f}), "
            f"decode {speeds[1]:.0f}/s (x{decode[name]:.2f}), completion x{took[name]:.2f}, "
            f"perplexity {perplexity[name]:.3f}, same top {agree:.1%}",
            value=perplexity[name],
        )
    chosen = next(name for name, recipe in CANDIDATES.items() if recipe == (CHOSEN.type_name, CHOSEN.embedding))
    if chosen not in paths:
        return table.finish()
    table.at_most(f"time of a completion with {chosen} against the original", took[chosen], 0.8)
    table.at_most(f"perplexity of {chosen} against the original", perplexity[chosen] / perplexity[ORIGINAL], 1.01)
    table.notes.append(json.dumps({"scored tokens": len(base_scores), "rounds": len(rounds)}))
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
