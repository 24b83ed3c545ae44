"""One realistic text per language, for tests that want any: the inputs of tests/cases/languages."""

from ast_tools import language_of
from tests.support.cases import cases


def _samples() -> dict[str, bytes]:
    found = {}
    for case in cases("languages"):
        name, source = case.input()
        language = language_of(None, name)
        assert language is not None, name
        found[language.name] = source.encode()
    return found


SAMPLES = _samples()
