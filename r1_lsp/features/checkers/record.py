"""What a checker is: a way to ask again about a changed text."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ast_tools import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a checker reports: the bytes [start, end) of the text it was asked about. `code` may be empty."""

    start: int
    end: int
    message: str
    code: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A text to check. `path` is the file's, or None; `root` the workspace folder commands run in, or None."""

    text: bytes
    language: Language
    path: str | None = None
    root: str | None = None


Findings = tuple[Finding, ...] | None
"""None: the checker could not be asked (not installed, too slow, died); an empty tuple: it has nothing to report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """One checker. `sources` are the names, in lower case, under which its diagnostics reach us.

    `stops_at_first`: it reports one error and no more, so another one further on may always have been there.
    `by_code`: its words move with the text, so its findings are compared by their code alone. `ask` never raises.
    """

    name: str
    sources: frozenset[str]
    ask: Callable[[Subject], Awaitable[Findings]]
    stops_at_first: bool = False
    by_code: bool = False
