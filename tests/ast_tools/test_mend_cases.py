"""Files with several errors: golden cases in tests/cases/mend. Properties of what `mend` says of any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ast_tools import LANGUAGES, Edit, apply, composed, language_of, mend, moved, origin
from ast_tools.lines import Lines
from tests.support.cases import Case, case_id, cases

EDITS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 4), st.binary(max_size=3)),
    max_size=4,
)


@pytest.mark.parametrize("case", cases("mend"), ids=case_id)
def test_mend(case: Case) -> None:
    name, source = case.input()
    language, text = language_of(None, name), source.encode()
    assert language is not None
    mended = mend(language, text, budget_s=30.0)
    assert mended is not None
    lines, said = Lines(text), []
    for fault in mended.faults:
        line, column = lines.position(fault.start)
        what = "sure" if fault.sure else "unsure" if fault.choices else "left"
        said.append(f"{line + 1}:{column + 1} {what}: {fault.message}")
        said += [f"  {choice.title} at {_where(lines, choice.edits[0])}" for choice in fault.choices]
    case.check("want", "\n".join(said) or "nothing")
    if "sure" in case:
        case.check("sure", apply(text, mended.sure).decode())
    if "guessed" in case:
        case.check("guessed", apply(text, mended.guessed).decode())


def _where(lines: Lines, edit: Edit) -> str:
    line, column = lines.position(edit.start)
    return f"{line + 1}:{column + 1}"


def _edits_of(text: bytes, wanted: list[tuple[int, int, bytes]]) -> list[Edit]:
    """Edits that fit a text and leave each other alone."""
    found, at = [], 0
    for start, length, new in sorted(wanted, key=lambda one: one[0]):
        if at <= start <= len(text):
            at = min(start + length, len(text))
            found.append(Edit(start, at, new))
    return found


@given(text=st.binary(max_size=12), first=EDITS, then=EDITS)
def test_composed_edits_do_what_the_two_do(
    text: bytes, first: list[tuple[int, int, bytes]], then: list[tuple[int, int, bytes]]
) -> None:
    one = _edits_of(text, first)
    between = apply(text, one)
    other = _edits_of(between, then)
    assert apply(text, composed(one, other)) == apply(between, other)


@given(text=st.binary(max_size=12), edits=EDITS, offset=st.integers(0, 12))
def test_an_offset_that_no_edit_touches_comes_back(
    text: bytes, edits: list[tuple[int, int, bytes]], offset: int
) -> None:
    made = _edits_of(text, edits)
    if offset > len(text) or any(edit.start <= offset <= edit.end for edit in made):
        return
    assert origin(made, moved(made, offset)) == offset
    before, after = text[offset : offset + 1], apply(text, made)
    assert after[moved(made, offset) :][:1] == before


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(LANGUAGES)),
    pieces=st.lists(
        st.sampled_from(["f(", ")", "[", "]", "{", "}", "x", " = ", "\n", "\n    ", "\r\n", ":", ",", "'", '"', "é😀"]),
        max_size=24,
    ),
)
def test_the_edits_of_any_text_can_be_made(name: str, pieces: list[str]) -> None:
    text = "".join(pieces).encode()
    mended = mend(LANGUAGES[name], text, budget_s=0.2)
    assert mended is not None
    for edits in (mended.sure, mended.guessed):
        apply(text, edits)
    for fault in mended.faults:
        assert 0 <= fault.start <= fault.end <= len(text)
        assert not fault.sure or len(fault.choices) == 1
        for choice in fault.choices:
            apply(text, choice.edits)
    assert mended.faults or mended.guessed == ()


def test_a_text_that_is_not_parsed_in_time_has_no_answer() -> None:
    language = LANGUAGES["typescript"]
    assert mend(language, b"(" * 300_000, parse_budget_s=0.001) is None
