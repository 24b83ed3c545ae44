"""What a model says after each token of a text, and how far two such answers are apart."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PLACES = 128
LARGEST_DIVERGENCE = 1e-5
"""Mean over the places, in nats, between two programs that compute the same in single precision."""

Floats = NDArray[np.float64]


def job(kind: str, model: Path, target: Path) -> dict[str, object]:
    """For a program that writes logits: `kind` is "folder" for a checkpoint and "file" for a GGUF."""
    return {kind: str(model), "ids": token_ids(), "target": str(target)}


def read_logits(path: Path) -> Floats:
    """[places, vocabulary]."""
    return np.load(path).astype(np.float64)


def token_ids() -> list[int]:
    """Ordinary tokens, any of them, always the same."""
    return [int(word % np.uint64(480)) for word in np.random.Philox(key=7).random_raw(PLACES)]


def divergence(p: Floats, q: Floats) -> Floats:
    """Kullback-Leibler divergence at each place, in nats, of the distributions with these logits."""
    log_p, log_q = _log_softmax(p), _log_softmax(q)
    result: Floats = (np.exp(log_p) * (log_p - log_q)).sum(axis=1)
    return result


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
