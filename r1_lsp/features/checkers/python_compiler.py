"""Python's own compiler as a checker: in an isolated child, compile only, nothing of the user's is imported or run."""

import json
import sys
from typing import Any

from ast_tools.lines import Lines
from r1_lsp.features.checkers.child import run
from r1_lsp.features.checkers.places import offset_of_bytes, offset_of_characters
from r1_lsp.features.checkers.record import Checker, Finding, Findings, Subject

COMPILE = "compile"
"""The code of what Python's compiler reports."""

_TIMEOUT_S = 5.0
_MOST_BYTES = 4_000_000

_CHILD = """
import json, sys, warnings
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass
warnings.simplefilter("ignore")
text = sys.stdin.buffer.read()
in_bytes = False
try:
    compile(text, "file.py", "exec", 0x400, dont_inherit=True)
    in_bytes = True
    compile(text, "file.py", "exec", dont_inherit=True)
    print("[]")
except SyntaxError as e:
    print(json.dumps([{"message": e.msg, "line": e.lineno, "column": e.offset, "in_bytes": in_bytes,
                       "end_line": e.end_lineno, "end_column": e.end_offset}]))
"""
"""0x400 is ast.PyCF_ONLY_AST. The parser counts columns in characters, the compiler behind it in bytes.

Anything else (a null byte, recursion, memory) ends the child with an error code, and it counts as not asked."""


async def _ask(subject: Subject) -> Findings:
    if subject.language.name != "python" or len(subject.text) > _MOST_BYTES:
        return None
    output = await run((sys.executable, "-I", "-c", _CHILD), subject.text, cwd=None, timeout_s=_TIMEOUT_S)
    if output is None or output.code != 0:
        return None
    lines = Lines(subject.text)
    return tuple(_finding(raw, lines) for raw in json.loads(output.stdout))


def _finding(raw: dict[str, Any], lines: Lines) -> Finding:
    line, column = raw["line"] or 1, raw["column"] or 1
    offset_of = offset_of_bytes if raw["in_bytes"] else offset_of_characters
    start = offset_of(lines, line, column)
    end = offset_of(lines, raw["end_line"] or line, raw["end_column"] or column)
    return Finding(start=start, end=max(start, end), message=raw["message"], code=COMPILE, source="r1")


PYTHON_COMPILER = Checker(name="Python's compiler", sources=frozenset({"r1"}), ask=_ask, stops_at_first=True)
