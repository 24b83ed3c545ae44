"""Checkers: each is one record saying how to ask it again about a changed text."""

from collections.abc import Mapping

from ast_tools import Language
from r1_lsp.features.checkers.command import command_checker
from r1_lsp.features.checkers.python_compiler import COMPILE, PYTHON_COMPILER
from r1_lsp.features.checkers.recheck import Baseline, Reported, baseline, complaint
from r1_lsp.features.checkers.record import Checker, Finding, Findings, Subject
from r1_lsp.features.checkers.tree import SOURCE, SYNTAX, TREE

__all__ = [
    "Checker", "Finding", "Findings", "Subject", "TREE", "PYTHON_COMPILER", "SOURCE", "SYNTAX", "COMPILE",
    "command_checker", "configured", "checkers_of", "Reported", "Baseline", "baseline", "complaint",
]  # fmt: skip

_BUILT_IN: Mapping[str, tuple[Checker, ...]] = {"python": (TREE, PYTHON_COMPILER)}


def configured(language: Language, commands: Mapping[str, tuple[tuple[str, ...], ...]]) -> tuple[Checker, ...]:
    """The commands the settings name for a language, under its own name or one an editor gives it."""
    names = dict.fromkeys((language.name, *language.lsp_ids))
    return tuple(command_checker(argv) for name in names for argv in commands.get(name, ()))


def checkers_of(language: Language, commands: Mapping[str, tuple[tuple[str, ...], ...]]) -> tuple[Checker, ...]:
    """Every checker that can be asked about a file of this language: ours first, then the configured ones."""
    return (*_BUILT_IN.get(language.name, (TREE,)), *configured(language, commands))
