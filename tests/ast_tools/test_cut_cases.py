"""What a model wrote, and what is shown of it: golden cases in tests/cases/cut."""

import pytest

from ast_tools import REASONS, Cutter, language_of, parse
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor


@pytest.mark.parametrize("case", cases("cut"), ids=case_id)
def test_cut(case: Case) -> None:
    name, marked = case.input()
    text, offset = cursor(marked)
    language = language_of(None, name)
    tree = parse(language, text) if language else None
    multiline = case["mode"].strip() == "block"
    model = case["model"].removesuffix("\n")
    shown = []
    for size in (1, 3, len(model)):
        cutter = Cutter(tree, language, text, offset, multiline=multiline)
        read = 0
        for read in range(0, len(model), size):
            if cutter.feed(model[read : read + size]).done:
                break
        result = cutter.finish()
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
