"""Syntax side: pure, total, byte offsets. Knows nothing of editors or models."""

from ast_tools.baseline import Verdict, parse_as_written
from ast_tools.blocks import Block, block_at, blocks
from ast_tools.completion import REASONS, CutResult, Cutter
from ast_tools.edits import Edit, apply, composed, inverted, moved, origin
from ast_tools.functions import Function, Param, function_at, function_on_line, functions, same_except_docstrings
from ast_tools.grammar import warm
from ast_tools.languages import LANGUAGES, Language, language_of
from ast_tools.leaves import leaves, read
from ast_tools.literals import comments, strings
from ast_tools.mend import Fault, Mended, mend
from ast_tools.names import Name, Reference, Symbol, declaration_of, names, names_in_scope, references, symbol_at
from ast_tools.repair import Repair, repairs, repairs_in
from ast_tools.scopes import Place, Scope, enclosing, place, scopes, statement_around, wants_multiline
from ast_tools.symbols import (
    Call,
    Definition,
    call_at,
    called,
    calls,
    definitions,
    definitions_between,
    imports,
    mentioned,
)
from ast_tools.syntax import Problem, adds_errors, problems, refusal, said_of
from ast_tools.tags import Tag, tags
from ast_tools.tree import SyntaxTree, TreeSession, parse, reparse

__all__ = [
    "LANGUAGES", "Language", "language_of", "warm",
    "SyntaxTree", "TreeSession", "parse", "reparse",
    "Edit", "apply", "composed", "inverted", "moved", "origin",
    "Problem", "problems", "refusal", "said_of", "adds_errors",
    "Repair", "repairs", "repairs_in",
    "Fault", "Mended", "mend",
    "Verdict", "parse_as_written",
    "Cutter", "CutResult", "REASONS",
    "Place", "place", "wants_multiline",
    "Scope", "scopes", "enclosing", "statement_around",
    "Block", "blocks", "block_at",
    "Name", "names", "names_in_scope", "Reference", "references", "Symbol", "symbol_at", "declaration_of",
    "comments", "strings", "leaves", "read",
    "Definition", "definitions", "definitions_between", "imports", "mentioned",
    "Tag", "tags",
    "Call", "call_at", "calls", "called",
    "Function", "Param", "functions", "function_at", "function_on_line", "same_except_docstrings",
]  # fmt: skip
