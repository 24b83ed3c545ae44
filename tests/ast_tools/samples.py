"""One realistic text per language, for tests that want any."""

from ast_tools import language_of
from tests.ast_tools.test_tree import SNIPPETS
from tests.support.cases import cases


def _samples() -> dict[str, bytes]:
    found = dict(SNIPPETS)
    for case in cases("languages"):
        name, source = case.input()
        language = language_of(None, name)
        assert language is not None, name
        found.setdefault(language.name, source.encode())
    return found


SAMPLES = _samples()
