import numpy as np
import pytest

from engine.host.sampling import log_probability, make_sampler
from engine.types import GREEDY, Sampling

LOGITS = np.log(np.array([0.05, 0.5, 0.05, 0.3, 0.1], dtype=np.float32))


def drawn(sampling: Sampling, times: int = 4000, candidate: int = 0) -> np.ndarray:
    sampler = make_sampler(sampling, candidate)
    return np.bincount([sampler(LOGITS) for _ in range(times)], minlength=len(LOGITS)) / times


def test_temperature_zero_takes_the_best() -> None:
    assert make_sampler(GREEDY)(LOGITS) == 1


def test_temperature_one_draws_as_the_model_says() -> None:
    assert drawn(Sampling(temperature=1.0)) == pytest.approx(np.exp(LOGITS), abs=0.03)


def test_a_low_temperature_sharpens() -> None:
    weights = np.exp(LOGITS / 0.5)
    assert drawn(Sampling(temperature=0.5)) == pytest.approx(weights / weights.sum(), abs=0.03)


@pytest.mark.parametrize(
    ("sampling", "left"),
    [
        (Sampling(temperature=1.0, top_k=2), {1, 3}),
        (Sampling(temperature=1.0, top_k=1), {1}),
        (Sampling(temperature=1.0, top_p=0.85), {1, 3, 4}),
        (Sampling(temperature=1.0, top_p=0.0), {1}),
        (Sampling(temperature=1.0, min_p=0.5), {1, 3}),
        (Sampling(temperature=1.0, min_p=1.0), {1}),
        (Sampling(temperature=100.0), {0, 1, 2, 3, 4}),
    ],
)
def test_what_is_left_to_draw_from(sampling: Sampling, left: set[int]) -> None:
    assert set(np.flatnonzero(drawn(sampling))) == left


def test_a_seed_gives_the_same_draws_and_candidates_differ() -> None:
    sampling = Sampling(temperature=1.0, seed=7)
    sequences = [[s(LOGITS) for _ in range(50)] for s in (make_sampler(sampling, n) for n in (0, 0, 1))]
    assert sequences[0] == sequences[1] != sequences[2]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_broken_model_still_gets_a_choice(broken: float) -> None:
    logits = np.full(5, broken, dtype=np.float32)
    with np.errstate(all="ignore"):
        assert 0 <= make_sampler(Sampling(temperature=0.8, top_p=0.9))(logits) < 5
    assert 0 <= make_sampler(GREEDY)(logits) < 5


def test_the_logarithm_of_a_probability() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.2], dtype=np.float32)) + 100
    assert [log_probability(logits, token) for token in range(3)] == pytest.approx(np.log([0.5, 0.3, 0.2]), abs=1e-5)
    many = np.zeros(150_000, dtype=np.float32)
    assert log_probability(many, 7) == pytest.approx(-np.log(150_000), abs=1e-9)
