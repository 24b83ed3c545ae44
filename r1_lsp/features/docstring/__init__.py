"""Docstrings: facts from the tree, phrases from the model, written in the file's own manner."""

from r1_lsp.features.docstring.disagree import Differences, disagreements
from r1_lsp.features.docstring.draft import Draft, documentable, draft
from r1_lsp.features.docstring.facts import Facts, facts_of
from r1_lsp.features.docstring.write import shape_of

__all__ = ["Draft", "draft", "documentable", "Differences", "disagreements", "Facts", "facts_of", "shape_of"]
