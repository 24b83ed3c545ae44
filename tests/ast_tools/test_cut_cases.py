"""What a model wrote, and what is shown of it: golden cases in tests/cases/cut."""

import pytest

from ast_tools import LANGUAGES, REASONS, Cutter, language_of, parse
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor


@pytest.mark.parametrize("case", cases("cut"), ids=case_id)
def test_cut(case: Case) -> None:
    name, marked = case.input()
    text, offset = cursor(marked)
    language = language_of(None, name)
    tree = parse(language, text) if language else None
    mode = case["mode"].split()
    multiline, unfinished = "block" in mode, "unfinished" in mode
    model = case["model"].removesuffix("\n")
    shown = []
    for size in (1, 3, len(model)):
        cutter = Cutter(tree, language, text, offset, multiline=multiline)
        read = 0
        for read in range(0, len(model), size):
            if cutter.feed(model[read : read + size]).done:
                break
        result = cutter.finish(unfinished=unfinished)
        again = cutter.again()
        again.feed(model)
        assert again.finish(unfinished=unfinished).text == result.text, "the place is as it was for a second candidate"
        assert result.reason is None or result.reason in REASONS
        stop = f" after {min(len(model), read + size)} of {len(model)} characters" if result.done else ""
        shown.append((result.text, f"{result.reason}{stop}"))
    assert len({text for text, _ in shown}) == 1, "the text does not depend on how the stream is cut into pieces"
    line_start, line_end = text.rfind(b"\n", 0, offset) + 1, text.find(b"\n", offset)
    before = text[line_start:offset].decode()
    after = text[offset : line_end if line_end >= 0 else len(text)].decode()
    case.check("want", f"{before}[{shown[0][0]}]{after}\n({shown[0][1]})".replace("\r", "␍"))
    if language and shown[0][0]:
        result_tree = parse(language, text[:offset] + shown[0][0].encode() + text[offset:])
        assert result_tree is not None
        assert tree is not None
        assert result_tree.n_errors <= tree.n_errors


def test_every_reason_is_reached() -> None:
    reached = {reason for case in cases("cut") for reason in REASONS if f"\n({reason}" in "\n" + case["want"]}
    assert reached == set(REASONS)


def test_a_second_candidate_may_take_the_place_of_what_follows() -> None:
    text = b"x = foo(bar())\n"
    offset = text.index(b"))")
    python = LANGUAGES["python"]
    cutter = Cutter(parse(python, text), python, text, offset, multiline=False)
    assert cutter.feed("1), 2)\n").done
    assert cutter.finish().text == "1"
    covering = cutter.again(without=2)
    covering.feed("1), 2)\n")
    assert covering.finish().text == "1), 2)"
