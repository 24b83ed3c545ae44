"""The host against what it is made of: a bare llama_decode loop, and llama.cpp's own server.

    python -m bench.host [MODEL]

Host and loop take turns after every 512 prompt tokens and after every token of the answer, so that whatever else the
machine does disturbs both alike; ratios are of medians. The loop reads in batches of 512 and decodes greedily; the host
does all it does for a real request but HTTP, whose part is measured by bench/overhead.py. SmolLM2 has no infill
markers: three of its control tokens stand in for them, which makes the layout, and so the time, the same.
"""

import ctypes
import importlib.util
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp as ll
import numpy as np

from bench.report import Report
from engine.backends.backend import Encoded
from engine.backends.llama_cpp import LlamaBackend
from engine.host.scheduler import SLICE, Event, Scheduler
from engine.host.sequence import Job
from engine.models.resolve import resolve
from engine.prompt.fim import FimRow
from engine.types import EngineOptions, GenerateRequest, InfillPrompt, Prompt, TextPrompt

ROUNDS = 5
SERVER_ROUNDS = 2
CANCELS = 20
PROMPT_TOKENS = 1024
ANSWER_TOKENS = 48
TYPED_PROMPT_TOKENS = 1500
SUFFIX_TOKENS = 400
N_CTX = 4096
ROW = FimRow(prefix="<repo_name>", suffix="<file_sep>", middle="<filename>")

Steps = Iterator[float]
"""Seconds of each stretch of work: two of 512 prompt tokens, then one per token of the answer."""
STRETCH = 512


def main() -> int:
    options = EngineOptions(model=sys.argv[1] if len(sys.argv) > 1 else "default", n_ctx=N_CTX)
    report = Report("host")
    backend = LlamaBackend.load(options, lambda _what, _fraction: None, infill=ROW)
    threads = ll.llama_n_threads(backend._context)
    code = Path(__file__).read_text("utf-8") * 8
    tokens = backend.tokens_of(code)
    _compare(report, backend, tokens[:PROMPT_TOKENS], str(resolve(options).path), threads)
    _first_text(report, backend, code, tokens)
    _cancels(report, backend, tokens)
    report.notes.append(f"model {backend.info.id}, {threads} thread(s), medians of {ROUNDS} rounds")
    backend.close()
    return report.finish()


def _compare(report: Report, backend: LlamaBackend, tokens: list[int], path: str, threads: int) -> None:
    raw = _raw_loop(backend, threads)
    taken = [list(zip(_host_steps(backend, tokens), raw(tokens), strict=True)) for _ in range(ROUNDS)]
    n_stretches = len(tokens) // STRETCH
    prefill = [pair for steps in taken for pair in steps[:n_stretches]]
    decode = [pair for steps in taken for pair in steps[n_stretches:]]
    server = _llama_server(path, backend, tokens, threads)
    for at, (name, pairs, amount, bound) in enumerate(
        (("prefill", prefill, STRETCH, 0.95), ("decode", decode, 1, 0.92))
    ):
        host_tps, raw_tps = (amount / statistics.median(pair[side] for pair in pairs) for side in (0, 1))
        report.row(f"{name}, host", f"{host_tps:.1f} tok/s", value=host_tps)
        report.row(f"{name}, raw loop", f"{raw_tps:.1f} tok/s", value=raw_tps)
        report.at_least(f"{name}, host / raw loop", host_tps / raw_tps, bound)
        if server is not None:
            ratio = host_tps / server[at]
            report.row(f"{name}, host / llama.cpp's own server", f"{ratio:.2f} ({server[at]:.1f} tok/s)", value=ratio)


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


def _cancels(report: Report, backend: LlamaBackend, tokens: list[int]) -> None:
    """From a cancel at a random moment of reading a prompt until the model's thread is free."""
    scheduler = Scheduler(backend, _ignore)
    chance = random.Random(0)
    waits = []
    for _ in range(CANCELS):
        scheduler._kv.clear()
        request = GenerateRequest(prompt=TextPrompt(text=""), max_tokens=1)
        job = Job(request, Encoded(tokens=tokens[:TYPED_PROMPT_TOKENS]))
        scheduler.submit(job)
        cancelled: list[float] = []

        def cancel(job: Job = job, cancelled: list[float] = cancelled) -> None:
            cancelled.append(time.perf_counter())
            scheduler.cancel(job)

        timer = threading.Timer(0.02 + chance.random() * 0.5, cancel)
        timer.start()
        while scheduler.step():
            pass
        waits.append(time.perf_counter() - cancelled[0])
        timer.join()
    report.row("cancel while reading a prompt until idle, median", f"{statistics.median(waits) * 1e3:.1f} ms")
    report.row("cancel while reading a prompt until idle, worst", f"{max(waits) * 1e3:.1f} ms", value=max(waits))


def _time_to_first(scheduler: Scheduler, backend: LlamaBackend, prompt: Prompt) -> float:
    began = time.perf_counter()
    request = GenerateRequest(prompt=prompt, max_tokens=1)
    scheduler.submit(Job(request, backend.encode(request)))
    while scheduler.step():
        pass
    return time.perf_counter() - began


def _host_steps(backend: LlamaBackend, tokens: list[int]) -> Steps:
    scheduler = Scheduler(backend, _ignore)
    scheduler._kv.clear()
    request = GenerateRequest(prompt=TextPrompt(text=""), max_tokens=ANSWER_TOKENS, stop=("\0never\0",))
    scheduler.submit(Job(request, Encoded(tokens=list(tokens))))
    for steps in (*[STRETCH // SLICE] * (len(tokens) // STRETCH), *[1] * (ANSWER_TOKENS - 1)):
        began = time.perf_counter()
        for _ in range(steps):
            scheduler.step()
        yield time.perf_counter() - began


def _ignore(_events: list[Event]) -> None:
    pass


def _raw_loop(backend: LlamaBackend, threads: int) -> Callable[[list[int]], Steps]:
    params = ll.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = N_CTX, STRETCH, STRETCH
    params.n_threads = params.n_threads_batch = threads
    context: Any = ll.llama_init_from_model(backend._model, params)
    size = backend.vocabulary.size

    def decode(part: list[int]) -> int:
        raw = (ctypes.c_int32 * len(part))(*part)
        if ll.llama_decode(context, ll.llama_batch_get_one(raw, len(part))) != 0:
            raise SystemExit("llama_decode failed")
        return int(np.ctypeslib.as_array(ll.llama_get_logits_ith(context, -1), (size,)).argmax())

    def steps(tokens: list[int]) -> Steps:
        ll.llama_memory_clear(ll.llama_get_memory(context), True)
        token = 0
        parts = [tokens[start : start + STRETCH] for start in range(0, len(tokens), STRETCH)]
        for part in (*parts, *[None] * (ANSWER_TOKENS - 1)):
            began = time.perf_counter()
            token = decode([token] if part is None else part)
            yield time.perf_counter() - began

    return steps


def _llama_server(path: str, backend: LlamaBackend, tokens: list[int], threads: int) -> tuple[float, float] | None:
    """Prefill and decode speed of llama.cpp's own server, by the package xllamacpp; None where it is not installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = N_CTX
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup = False
    params.verbosity = -1
    server = xllamacpp.Server(params)
    text = b"".join(map(backend.piece, tokens)).decode("utf-8", "replace")
    body = {"prompt": text, "n_predict": ANSWER_TOKENS, "temperature": 0, "cache_prompt": False, "ignore_eos": True}
    timings = [server.handle_completions(body)["timings"] for _ in range(SERVER_ROUNDS)]
    prefill, decode = (
        statistics.median(float(timing[key]) for timing in timings)
        for key in ("prompt_per_second", "predicted_per_second")
    )
    return prefill, decode


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # xllamacpp's server thread has no clean end
