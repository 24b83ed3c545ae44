"""One realistic text per language, for tests that want any."""

from tests.ast_tools.test_tree import SNIPPETS

SAMPLES = SNIPPETS
