"""Which token comes next, as one function value made from a request's `Sampling`."""

from collections.abc import Callable

import numpy as np

from engine.backends.backend import Logits
from engine.types import Sampling

Sampler = Callable[[Logits], int]

# Below exp(-30) of the best token's weight a float32 sum does not see a token any more.
_NEGLIGIBLE = -30.0


def make_sampler(sampling: Sampling, candidate: int = 0) -> Sampler:
    """A sampler for one candidate of a request. Equal arguments give equal choices.

    Temperature 0 is greedy. Otherwise: temperature, then top-k, top-p and min-p over what is left, then a draw; the
    order of vLLM and of the makers' own code. Candidates of one request draw from different streams of the seed.
    """
    if sampling.temperature == 0:
        return greedy
    random = np.random.default_rng((sampling.seed & 0xFFFFFFFF, candidate))

    def draw(logits: Logits) -> int:
        tokens, weights = _weighted(logits, sampling)
        at = np.searchsorted(np.cumsum(weights), random.random() * weights.sum(), side="right")
        return int(tokens[min(int(at), len(tokens) - 1)])

    return draw


def greedy(logits: Logits) -> int:
    return int(logits.argmax())


def log_probability(logits: Logits, token: int) -> float:
    """The natural logarithm of a token's probability. Summed up in float64: there are 10^5 terms and more."""
    top = logits.max()
    return float(logits[token] - top) - float(np.log(np.exp(logits - top).sum(dtype=np.float64)))


def _weighted(logits: Logits, sampling: Sampling) -> tuple[np.ndarray, np.ndarray]:
    """The tokens still in play, best first, and their weights (relative to the best: 1)."""
    above = (logits - logits.max()) / np.float32(sampling.temperature)
    tokens = np.flatnonzero(above > _NEGLIGIBLE)
    if not len(tokens):  # not a number among the logits: the model is broken, but a choice must be made
        return np.array([greedy(logits)]), np.ones(1)
    if 0 < sampling.top_k < len(tokens):
        tokens = tokens[np.argpartition(-above[tokens], sampling.top_k - 1)[: sampling.top_k]]
    tokens = tokens[np.argsort(-above[tokens], kind="stable")]
    weights = np.exp(above[tokens].astype(np.float64))
    if sampling.top_p < 1:
        before = np.cumsum(weights) - weights
        weights = weights[before <= sampling.top_p * weights.sum()]
    if sampling.min_p > 0:
        weights = weights[weights >= sampling.min_p]
    return tokens[: len(weights)], weights
