"""Prompt budgets: in time, within the context, shared without waste."""

from hypothesis import given
from hypothesis import strategies as st

from engine.prompt.budget import FLOOR_TOKENS, Section, prompt_tokens, split


def test_the_budget_is_what_can_be_read_in_time() -> None:
    assert prompt_tokens(1000, within_s=1.0, n_ctx=8192, max_tokens=64) == 1000
    assert prompt_tokens(1000, within_s=1.0, n_ctx=8192, max_tokens=64, decode_tps=10) == 900


def test_a_slow_machine_gets_the_floor_and_a_small_context_bounds_all() -> None:
    assert prompt_tokens(5, within_s=1.0, n_ctx=4096, max_tokens=64) == FLOOR_TOKENS
    assert prompt_tokens(1e6, within_s=1.0, n_ctx=4096, max_tokens=64) == 4096 - 64 - 8
    assert prompt_tokens(1000, within_s=1.0, n_ctx=64, max_tokens=64) == 0


def test_what_one_section_leaves_goes_to_the_others() -> None:
    sections = [Section("imports", 10), Section("prefix", 500, 3.0), Section("suffix", 500, 1.0)]
    assert split(410, sections) == {"imports": 10, "prefix": 300, "suffix": 100}
    assert split(5000, sections) == {"imports": 10, "prefix": 500, "suffix": 500}


@given(
    st.integers(-5, 5000),
    st.lists(st.tuples(st.integers(0, 3000), st.floats(0, 10)), max_size=6),
)
def test_shares_never_exceed_what_is_wanted_or_there(total: int, wants: list[tuple[int, float]]) -> None:
    sections = [Section(str(i), wanted, weight) for i, (wanted, weight) in enumerate(wants)]
    shares = split(total, sections)
    assert sum(shares.values()) <= max(total, 0)
    assert all(0 <= shares[s.name] <= s.wanted for s in sections)
    weighty = [s for s in sections if s.weight > 0.1]
    if weighty and sum(s.wanted for s in weighty) >= total > 0:
        assert sum(shares.values()) >= total - len(sections) - 1
