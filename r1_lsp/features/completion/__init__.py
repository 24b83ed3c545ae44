"""Inline completion: a cursor in, suggestions or a reason for silence out."""

from r1_lsp.features.completion.ask import Ask, Outcome, Selected, Suggestion
from r1_lsp.features.completion.complete import Means, complete
from r1_lsp.features.completion.desk import CompletionDesk
from r1_lsp.features.completion.explain import PromptDescription, describe_prompt

__all__ = [
    "Ask", "CompletionDesk", "Means", "Outcome", "PromptDescription", "Selected", "Suggestion", "complete",
    "describe_prompt",
]  # fmt: skip
