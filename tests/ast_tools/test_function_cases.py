"""What a docstring must name: golden cases in tests/cases/function."""

from dataclasses import fields

import pytest

from ast_tools import function_at, functions, language_of, parse
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor


@pytest.mark.parametrize("case", cases("function"), ids=case_id)
def test_function(case: Case) -> None:
    name, marked = case.input()
    text, offset = cursor(marked)
    language = language_of(None, name)
    assert language is not None
    tree = parse(language, text)
    assert tree is not None
    assert tree.n_errors == 0
    found = function_at(tree, offset)
    assert found is not None
    assert found in functions(tree)
    lines = []
    for field in fields(found):
        value = getattr(found, field.name)
        if field.name in ("header", "docstring", "body") and value:
            value = text[slice(*value)].decode().splitlines()[0]
        if field.name == "docstring_insert":
            value = text[value:].split(b"\n")[0].decode()
        if field.name == "params":
            for param in value:
                lines.append(
                    f"param: {param.name}, {param.annotation}, {param.default}, {param.kind}, {param.optional}"
                )
        elif field.name not in ("start", "end"):
            lines.append(f"{field.name}: {value!r}")
    case.check("want", "\n".join(lines))
