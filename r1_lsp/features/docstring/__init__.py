"""Docstrings: facts from the tree, phrases from the model, written in the file's own manner."""

from r1_lsp.features.docstring.disagree import Differences
from r1_lsp.features.docstring.draft import Draft, documentable, draft, lacking, wrong
from r1_lsp.features.docstring.write import unwritable

__all__ = ["Draft", "draft", "documentable", "lacking", "unwritable", "wrong", "Differences"]
