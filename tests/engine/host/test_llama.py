"""The real model: what only llama.cpp can show. The default model, or the one R1_TEST_MODEL names."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

import numpy as np
import pytest

from engine.backends.backend import Part
from engine.backends.llama_cpp import LlamaBackend
from engine.errors import ContextOverflow, ModelUnusable, Unsupported
from engine.host.scheduler import SLICE, Event, Scheduler
from engine.host.sequence import Job
from engine.prompt.fim import FimRow
from engine.types import (
    ChatPrompt,
    Chunk,
    EngineOptions,
    GenerateRequest,
    InfillPrompt,
    Lane,
    Message,
    Prompt,
    Sampling,
    TextPrompt,
)

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("model")]

# SmolLM2 has no infill markers. Any control tokens show how the layout behaves; what is written is of no interest.
TEST_ROW = FimRow(prefix="<repo_name>", suffix="<file_sep>", middle="<filename>")
OPTIONS = EngineOptions(model=os.environ.get("R1_TEST_MODEL", "default"), threads=1, n_ctx=1024)
NEARLY = 0.3
"""Between logits: a factor of 1.35 in probability."""
CODE = "def fibonacci(n):\n    if n < 2:\n        return n\n    return"


class Runner:
    """A scheduler on the real backend, and what each job said."""

    def __init__(self, backend: LlamaBackend) -> None:
        self.backend = backend
        self.scheduler = Scheduler(backend, self._deliver)
        self.said: dict[Job, list[Chunk]] = {}

    def _deliver(self, events: list[Event]) -> None:
        for job, said in events:
            assert isinstance(said, Chunk), said
            self.said.setdefault(job, []).append(said)

    def submit(self, prompt: Prompt | str, max_tokens: int = 12, **fields: object) -> Job:
        prompt = TextPrompt(text=prompt) if isinstance(prompt, str) else prompt
        request = replace(GenerateRequest(prompt=prompt, max_tokens=max_tokens), **fields)
        job = Job(request, self.backend.encode(request))
        self.scheduler.submit(job)
        return job

    def run(self) -> None:
        while self.scheduler.step():
            pass

    def ask(self, prompt: Prompt | str, **fields: object) -> Job:
        job = self.submit(prompt, **fields)
        self.run()
        return job

    def text(self, job: Job, index: int = 0) -> str:
        return "".join(chunk.text for chunk in self.said[job] if chunk.index == index)

    def nearly_tied(self, prompt: str, said: str) -> bool:
        """Whether the model could as well go on with another token after `said`.

        The order in which cells of the KV cache are summed up depends on who else has some; that moves logits a little.
        """
        self.scheduler._kv.clear()
        tokens = self.backend.tokens_of(prompt + said)
        assert self.backend.run([Part(0, 0, tokens, True)]) == "done"
        first, second = sorted(self.backend.logits(0), reverse=True)[:2]
        self.scheduler._kv.clear()
        return bool(first - second < NEARLY)

    def scores(self, job: Job) -> list[float]:
        ends = {chunk.index: chunk.score for chunk in self.said[job] if chunk.score is not None}
        return [ends[index] for index in range(len(job.sequences))]

    def plain_score(self, tokens: list[int], n: int) -> float:
        """What the tokens from n on cost when one after the other is evaluated, in a memory that holds nothing else."""
        self.scheduler._kv.clear()
        for at in range(0, n, SLICE):
            assert self.backend.run([Part(0, at, tokens[at : min(at + SLICE, n)], True)]) == "done"
        cost = 0.0
        for at in range(n, len(tokens)):
            logits = self.backend.logits(0).astype(np.float64)
            cost += logits[tokens[at]] - logits.max() - np.log(np.exp(logits - logits.max()).sum())
            assert self.backend.run([Part(0, at, tokens[at : at + 1], True)]) == "done"
        self.scheduler._kv.clear()
        return cost

    def cached(self, job: Job) -> int:
        usage = self.said[job][-1].usage
        assert usage is not None
        return usage.cached_tokens


@pytest.fixture(scope="module")
def backend() -> Iterator[LlamaBackend]:
    loads: list[float | None] = []
    backend = LlamaBackend.load(OPTIONS, lambda _what, fraction: loads.append(fraction), infill=TEST_ROW)
    assert 1.0 in loads
    yield backend
    backend.close()


@pytest.fixture
def runner(backend: LlamaBackend) -> Iterator[Runner]:
    runner = Runner(backend)
    yield runner
    runner.scheduler._kv.clear()


def test_the_model_says_what_it_is(backend: LlamaBackend) -> None:
    info = backend.info
    assert info.n_ctx == 1024
    assert info.prefill_tps > info.decode_tps > 0
    assert 2 < info.chars_per_token < 6


def test_it_completes_code(runner: Runner) -> None:
    assert "fibonacci(n" in runner.text(runner.ask(CODE))


def test_growing_prompts_read_only_what_is_new(runner: Runner) -> None:
    long = CODE + " fibonacci(n - 1)\n\n\n" + "# a line that fills the prompt\n" * 8
    first = runner.ask(long)
    again = runner.ask(long + "x = fibonacci(")
    assert runner.cached(first) == 0
    assert runner.cached(again) >= len(first.encoded.tokens) - 2
    runner.scheduler._kv.clear()
    fresh = runner.ask(long + "x = fibonacci(")
    assert runner.text(fresh) == runner.text(again)


def test_infill_keeps_prefix_and_suffix_while_a_line_is_typed(runner: Runner) -> None:
    hole = InfillPrompt(prefix="import os\n" * 40, suffix="\nprint(os)\n" * 20, middle="x = o")
    first = runner.ask(hole, max_tokens=1)
    second = runner.ask(replace(hole, middle="x = os.pa"), max_tokens=1)
    assert runner.cached(second) >= len(first.encoded.tokens) - 2


def test_candidates_of_one_request_agree_with_greedy_and_differ_with_temperature(runner: Runner) -> None:
    greedy = runner.ask(CODE, n=3)
    assert len({runner.text(greedy, index) for index in range(3)}) == 1
    warm = runner.ask("Once upon a time", n=3, sampling=Sampling(temperature=1.0, seed=3))
    assert len({runner.text(warm, index) for index in range(3)}) == 3
    again = runner.ask("Once upon a time", n=3, sampling=Sampling(temperature=1.0, seed=3))
    assert [runner.text(warm, i) for i in range(3)] == [runner.text(again, i) for i in range(3)]


def test_many_callers_get_what_they_would_get_alone(runner: Runner) -> None:
    prompts = [f"{n} def add_{n}(a, b):\n    return a + b\n\nprint(add_{n}(" for n in range(32)]
    alone = []
    for prompt in prompts:
        alone.append(runner.text(runner.ask(prompt, max_tokens=4)))
        runner.scheduler._kv.clear()
    lanes = list(Lane)
    jobs = [runner.submit(prompt, max_tokens=4, lane=lanes[n % 3]) for n, prompt in enumerate(prompts)]
    runner.run()
    for prompt, job, wanted in zip(prompts, jobs, alone, strict=True):
        said = runner.text(job)
        agreed = "".join(a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(said, wanted, strict=False)))
        assert said == wanted or runner.nearly_tied(prompt, agreed), (prompt, said, wanted)


def test_a_sensible_line_scores_above_a_scrambled_one(runner: Runner) -> None:
    choices = (" fibonacci(n - 1) + fibonacci(n - 2)\n", " - 1) + fibonacci(n fibonacci( - n 2)\n", " é😀\n")
    sensible, scrambled, foreign = runner.scores(runner.ask(CODE, choices=choices))
    assert sensible > max(scrambled, foreign)
    closed, closed_wrongly = runner.scores(runner.ask("", choices=("print(max(1, 2))\n", "print(max(1, 2]\n")))
    assert closed > closed_wrongly


@pytest.mark.parametrize("prompt", [CODE, CODE + " fib", "", "é😀 = '", "# a line that fills the prompt\n" * 20])
def test_scores_are_those_of_a_plain_loop(runner: Runner, prompt: str) -> None:
    choices = (" fibonacci(n - 1)\n", "onacci(n - 1)\n", "é😀\n\n\treturn", "")
    job = runner.ask(prompt, choices=choices)
    scores = runner.scores(job)
    n = len(job.encoded.tokens)
    for choice, rest, score in zip(choices, job.encoded.choices, scores, strict=True):
        tokens = [*job.encoded.tokens, *rest]
        assert b"".join(map(runner.backend.piece, tokens)).decode() == prompt + choice
        assert score == pytest.approx(runner.plain_score(tokens, n), abs=1e-3)


def test_cancelling_ends_the_reading_of_a_prompt_inside_a_batch(runner: Runner) -> None:
    wanted = runner.text(runner.ask(CODE))
    job = runner.submit("word " * 900)
    ended: list[float] = []

    def cancel() -> None:
        while not runner.scheduler._at_work:
            time.sleep(0.001)
        time.sleep(0.02)
        ended.append(time.monotonic())
        runner.scheduler.cancel(job)

    thread = threading.Thread(target=cancel)
    thread.start()
    runner.run()
    idle = time.monotonic()
    thread.join()
    assert idle - ended[0] < 1.0
    assert not runner.said.get(job)
    assert runner.text(runner.ask(CODE)) == wanted, "what the aborted batch left behind is gone"


def test_a_raised_flag_aborts_at_once_and_leaves_the_context_usable(runner: Runner) -> None:
    wanted = runner.text(runner.ask(CODE))
    tokens = runner.backend.tokens_of("word " * 500)[:128]
    slot, _ = runner.scheduler._kv.acquire(tokens) or pytest.fail("no slot")
    runner.backend.abort()
    assert runner.backend.run([Part(slot.number, slot.n, tokens, wants_logits=True)]) == "aborted"
    runner.backend.clear_abort()
    runner.scheduler._kv.restore(slot)
    runner.scheduler._kv.release(slot)
    assert runner.text(runner.ask(CODE)) == wanted


def test_memory_that_is_full_is_made_free(runner: Runner) -> None:
    for word in ("one", "two", "three"):
        job = runner.ask(f"{word} " * 420, max_tokens=2)
        assert runner.said[job][-1].usage is not None


def test_characters_are_whole_in_any_language(runner: Runner) -> None:
    job = runner.ask("日本語 中文 한국어 emoji 😀🎉 日本", max_tokens=40, sampling=Sampling(temperature=1.5, seed=1))
    answer = [runner.backend.piece(token) for token in job.sequences[0].tokens[len(job.encoded.tokens) :]]
    whole = b"".join(answer).decode("utf-8", "ignore")
    assert runner.text(job).replace("\ufffd", "") in {whole, whole[: len(runner.text(job))]}


def test_content_never_becomes_a_control_token(backend: LlamaBackend) -> None:
    vocabulary = backend.vocabulary
    assert "<|im_end|>" in vocabulary.markers
    for marker in sorted(vocabulary.markers):
        for text in (marker, f"a {marker} b", f"# {marker}{marker}\n", f"<{marker}>"):
            tokens = backend.tokens_of(text)
            assert not vocabulary._forbidden[tokens].any(), text
            assert b"".join(map(backend.piece, tokens)).decode() == text
    talk = ChatPrompt(messages=(Message(role="user", content="<|im_end|>"),))
    plain = ChatPrompt(messages=(Message(role="user", content="x"),))
    counts = [
        sum(map(bool, vocabulary._forbidden[backend.encode(GenerateRequest(prompt=prompt)).tokens]))
        for prompt in (talk, plain)
    ]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\ud800", "\r\n\r\n", "é😀\u2028", "\t" * 300])
def test_odd_texts_are_completed(runner: Runner, text: str) -> None:
    assert runner.said[runner.ask(text, max_tokens=2)][-1].finish is not None


@pytest.mark.parametrize("size", [4_000, 100_000, 10_000_000])
def test_a_prompt_that_does_not_fit_is_refused(backend: LlamaBackend, size: int) -> None:
    with pytest.raises(ContextOverflow):
        backend.encode(GenerateRequest(prompt=TextPrompt(text="no one " * (size // 2))))


def test_a_model_without_infill_says_so() -> None:
    backend = LlamaBackend.load(OPTIONS, lambda _what, _fraction: None)
    try:
        assert not backend.info.can_infill
        with pytest.raises(Unsupported):
            backend.encode(GenerateRequest(prompt=InfillPrompt(prefix="a", suffix="b")))
    finally:
        backend.close()


def test_a_file_that_llama_cpp_refuses_is_unusable(tmp_path_factory: pytest.TempPathFactory) -> None:
    broken = tmp_path_factory.mktemp("broken") / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(200))
    with pytest.raises(ModelUnusable) as caught:
        LlamaBackend.load(EngineOptions(model=str(broken)), lambda _what, _fraction: None)
    assert "broken.gguf" in str(caught.value)
