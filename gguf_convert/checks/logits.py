"""How much the answers of a file differ from those of a reference: Kullback-Leibler divergence and first choices.

As llama-perplexity's `--kl-divergence` does it: the text is cut into chunks of one context, each begins with the first
token of the vocabulary if texts have one, and the second half of each is counted. Here both models run at the same
time, each in its own process, and rows of logits are compared as they come, so nothing has to be kept.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gguf_convert.checks.findings import Finding, Tell
from gguf_convert.errors import SourceError
from gguf_convert.llama_process import LlamaProcess

CHECK: Final = "logits"
CONTEXT: Final = 512
_FEWEST: Final = 8
"""Tokens of a text that can be compared at all."""
_LARGEST_EXPONENT: Final = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over tokens and its standard error."""

    mean: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitsReport:
    """`kl` in nats, of the file's predictions from the reference's, with its 99th percentile and greatest value;
    `same_top` is the part of the tokens where both have the same first choice; perplexities of the text.
    """

    tokens: int
    kl: Estimate
    kl_99: float
    kl_max: float
    same_top: Estimate
    perplexity: float
    perplexity_reference: float


@dataclass(frozen=True, slots=True)
class _Token:
    kl: float
    same_top: bool
    nll: float
    nll_reference: float


def compare_logits(
    file: Path, reference: Path, text: bytes, tell: Tell, *, chunks: int | None = None
) -> LogitsReport | Finding:
    """Compares the answers to a text, or to its first `chunks` contexts. Raises WorkerDied when llama.cpp does not run
    one of the files, and SourceError for a text that is too short.
    """
    threads = max((cpu_count() or 2) // 2, 1)
    with ExitStack() as stack:
        ours, theirs = (
            stack.enter_context(LlamaProcess(path, context=CONTEXT, threads=threads)) for path in (file, reference)
        )
        ids = ours.tokenise(text).ids
        if ours.facts.n_tokens != theirs.facts.n_tokens or ids != theirs.tokenise(text).ids:
            return Finding(CHECK, f"{reference} cuts text into other tokens, so logits cannot be compared")
        if len(ids) < _FEWEST:
            raise SourceError(f"a text of {len(ids)} tokens is too short to compare logits on")
        tokens = list(_tokens(ours, theirs, _chunks(ids, ours, theirs)[:chunks], tell))
    if not all(math.isfinite(token.kl) for token in tokens):
        return Finding(CHECK, f"{file} or {reference} answers with what are no finite numbers")
    return _report(tokens)


def _chunks(ids: Sequence[int], ours: LlamaProcess, theirs: LlamaProcess) -> list[list[int]]:
    """Pieces of one context; what is left at the end is not counted unless it is all there is."""
    size = min(ours.facts.context, theirs.facts.context)
    first = [] if ours.facts.first is None else [ours.facts.first]
    step = size - len(first)
    whole = [[*first, *ids[start : start + step]] for start in range(0, len(ids) - step + 1, step)]
    return whole or [[*first, *ids]]


def _tokens(ours: LlamaProcess, theirs: LlamaProcess, chunks: list[list[int]], tell: Tell) -> Iterator[_Token]:
    for number, chunk in enumerate(chunks):
        tell("comparing logits", number / len(chunks))
        skip, asked = len(chunk) // 2, chunk[:-1]
        rows = zip(ours.logits(asked, skip), theirs.logits(asked, skip), chunk[skip + 1 :], strict=True)
        yield from (_compared(here, there, following) for here, there, following in rows)


def _compared(here: NDArray[np.float32], there: NDArray[np.float32], following: int) -> _Token:
    with np.errstate(all="ignore"):  # what is not finite shows in the result
        ours, theirs = _log_softmax(here), _log_softmax(there)
        kl = float((np.exp(theirs) * (theirs - ours)).sum())
    return _Token(
        kl=max(kl, 0.0) if math.isfinite(kl) else kl,  # rounding may take it below zero
        same_top=bool(here.argmax() == there.argmax()),
        nll=-float(ours[following]),
        nll_reference=-float(theirs[following]),
    )


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - float(logits.max())
    made: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum())
    return made


def _report(tokens: Sequence[_Token]) -> LogitsReport:
    kl = np.array([token.kl for token in tokens])
    return LogitsReport(
        tokens=len(tokens),
        kl=_estimate(kl),
        kl_99=float(np.quantile(kl, 0.99)),
        kl_max=float(kl.max()),
        same_top=_estimate(np.array([float(token.same_top) for token in tokens])),
        perplexity=_perplexity([token.nll for token in tokens]),
        perplexity_reference=_perplexity([token.nll_reference for token in tokens]),
    )


def _perplexity(nll: Sequence[float]) -> float:
    return math.exp(min(float(np.mean(nll)), _LARGEST_EXPONENT))


def _estimate(values: NDArray[np.float64]) -> Estimate:
    return Estimate(mean=float(values.mean()), error=float(values.std(ddof=1)) / math.sqrt(len(values)))
