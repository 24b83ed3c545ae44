"""Docstrings: facts from the tree, phrases from the model, written in the file's own manner."""

from r1_lsp.features.docstring.disagree import Differences
from r1_lsp.features.docstring.draft import Draft, documentable, draft, lacking, wrong

__all__ = ["Draft", "draft", "documentable", "lacking", "wrong", "Differences"]
