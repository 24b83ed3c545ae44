"""The host against what it is made of: a bare llama_decode loop, and llama.cpp's own server.

    python -m bench.host [MODEL]

Rounds of all contenders alternate and medians of ratios are compared, so that a busy machine disturbs all alike. The
loop reads the prompt in batches of 512 and decodes greedily; the host does all it does for a real request but HTTP,
whose part is measured by bench/overhead.py. SmolLM2 has no infill markers: three of its control tokens stand in for
them, which makes the layout, and so the time, the same.
"""

import ctypes
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp as ll
import numpy as np

from bench.report import Report
from engine.backends.backend import Encoded
from engine.backends.llama_cpp import LlamaBackend
from engine.host.scheduler import Event, Scheduler
from engine.host.sequence import Job
from engine.models.resolve import resolve
from engine.prompt.fim import FimRow
from engine.types import EngineOptions, GenerateRequest, InfillPrompt, Prompt, TextPrompt

ROUNDS = 5
PROMPT_TOKENS = 1024
ANSWER_TOKENS = 48
TYPED_PROMPT_TOKENS = 1500
SUFFIX_TOKENS = 400
N_CTX = 4096
ROW = FimRow(prefix="<repo_name>", suffix="<file_sep>", middle="<filename>")

Speeds = tuple[float, float]
"""Prefill and decode, tokens per second."""


def main() -> int:
    options = EngineOptions(model=sys.argv[1] if len(sys.argv) > 1 else "default", n_ctx=N_CTX)
    report = Report("host")
    backend = LlamaBackend.load(options, lambda _what, _fraction: None, infill=ROW)
    threads = ll.llama_n_threads(backend._context)
    code = Path(__file__).read_text("utf-8") * 8
    tokens = backend.tokens_of(code)
    _compare(report, backend, tokens[:PROMPT_TOKENS], str(resolve(options).path), threads)
    _first_text(report, backend, code, tokens)
    report.notes.append(f"model {backend.info.id}, {threads} thread(s), medians of {ROUNDS} rounds")
    backend.close()
    return report.finish()


def _compare(report: Report, backend: LlamaBackend, tokens: list[int], path: str, threads: int) -> None:
    contenders: dict[str, Callable[[], Speeds]] = {
        "host": lambda: _host_speeds(backend, tokens),
        "raw": _raw_loop(backend, tokens, threads),
    }
    server = _llama_server(path, backend, tokens, threads)
    if server is not None:
        contenders["server"] = server
    rounds = [{name: run() for name, run in contenders.items()} for _ in range(ROUNDS)]
    for at, (figure, bound) in enumerate((("prefill", 0.95), ("decode", 0.92))):
        speed = {name: statistics.median(one[name][at] for one in rounds) for name in contenders}
        ratio = statistics.median(one["host"][at] / one["raw"][at] for one in rounds)
        report.row(f"{figure}, host", f"{speed['host']:.1f} tok/s", value=speed["host"])
        report.row(f"{figure}, raw loop", f"{speed['raw']:.1f} tok/s", value=speed["raw"])
        report.at_least(f"{figure}, host / raw loop", ratio, bound)
        if server is not None:
            against = statistics.median(one["host"][at] / one["server"][at] for one in rounds)
            report.row(f"{figure}, host / llama.cpp's server", f"{against:.2f}", value=against)


def _first_text(report: Report, backend: LlamaBackend, code: str, tokens: list[int]) -> None:
    """Time to the first token after one more typed character, against the same prompt read cold."""
    length = len(code) * TYPED_PROMPT_TOKENS // len(tokens)
    plain = TextPrompt(text=code[:length])
    after = code[length : length + len(code) * SUFFIX_TOKENS // len(tokens)]
    hole = InfillPrompt(prefix=code[: length - len(after)], suffix="\n" + after, middle="    report = Rep")
    longer: tuple[tuple[str, Prompt, Prompt], ...] = (
        ("1,500-token prompt", plain, replace(plain, text=plain.text + code[length])),
        ("infill with 400-token suffix", hole, replace(hole, middle=hole.middle + "o")),
    )
    for name, before, then in longer:
        ratios, cold_s, warm_s = [], [], []
        for _ in range(ROUNDS):
            scheduler = Scheduler(backend, _ignore)
            scheduler._kv.clear()
            cold_s.append(_time_to_first(scheduler, backend, before))
            warm_s.append(_time_to_first(scheduler, backend, then))
            ratios.append(warm_s[-1] / cold_s[-1])
        report.row(f"first token, {name}, cold", f"{statistics.median(cold_s) * 1e3:.0f} ms")
        report.row(f"first token, {name}, one more character", f"{statistics.median(warm_s) * 1e3:.0f} ms")
        report.at_most(f"first token, {name}, warm / cold", statistics.median(ratios), 0.05)


def _time_to_first(scheduler: Scheduler, backend: LlamaBackend, prompt: Prompt) -> float:
    began = time.perf_counter()
    request = GenerateRequest(prompt=prompt, max_tokens=1)
    scheduler.submit(Job(request, backend.encode(request)))
    while scheduler.step():
        pass
    return time.perf_counter() - began


def _host_speeds(backend: LlamaBackend, tokens: list[int]) -> Speeds:
    scheduler = Scheduler(backend, _ignore)
    scheduler._kv.clear()
    request = GenerateRequest(prompt=TextPrompt(text=""), max_tokens=ANSWER_TOKENS, stop=("\0never\0",))
    job = Job(request, Encoded(tokens=list(tokens)))
    scheduler.submit(job)
    began = time.perf_counter()
    while job.first_token is None:
        scheduler.step()
    first = time.perf_counter()
    while scheduler.step():
        pass
    return len(tokens) / (first - began), (job.sequences[0].n_out - 1) / (time.perf_counter() - first)


def _ignore(_events: list[Event]) -> None:
    pass


def _raw_loop(backend: LlamaBackend, tokens: list[int], threads: int) -> Callable[[], Speeds]:
    params = ll.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = N_CTX, 512, 512
    params.n_threads = params.n_threads_batch = threads
    context: Any = ll.llama_init_from_model(backend._model, params)
    size = backend.vocabulary.size

    def decode(part: list[int]) -> int:
        raw = (ctypes.c_int32 * len(part))(*part)
        if ll.llama_decode(context, ll.llama_batch_get_one(raw, len(part))) != 0:
            raise SystemExit("llama_decode failed")
        return int(np.ctypeslib.as_array(ll.llama_get_logits_ith(context, -1), (size,)).argmax())

    def run() -> Speeds:
        ll.llama_memory_clear(ll.llama_get_memory(context), True)
        began = time.perf_counter()
        token = 0
        for start in range(0, len(tokens), 512):
            token = decode(tokens[start : start + 512])
        first = time.perf_counter()
        for _ in range(ANSWER_TOKENS - 1):
            token = decode([token])
        return len(tokens) / (first - began), (ANSWER_TOKENS - 1) / (time.perf_counter() - first)

    return run


def _llama_server(path: str, backend: LlamaBackend, tokens: list[int], threads: int) -> Callable[[], Speeds] | None:
    """llama.cpp's own server in this process, by the package xllamacpp; None where that is not installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    import xllamacpp  # type: ignore[import-not-found,unused-ignore]

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = N_CTX
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup = False
    server = xllamacpp.Server(params)
    text = b"".join(map(backend.piece, tokens)).decode("utf-8", "replace")

    def run() -> Speeds:
        body = {"prompt": text, "n_predict": ANSWER_TOKENS, "temperature": 0, "cache_prompt": False, "ignore_eos": True}
        timings = server.handle_completions(body)["timings"]
        return float(timings["prompt_per_second"]), float(timings["predicted_per_second"])

    return run


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # xllamacpp's server thread has no clean end
