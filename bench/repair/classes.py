"""What remains and why: each case that was not repaired, in a class computed from the case itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from ast_tools import LANGUAGES, Edit, apply
from ast_tools.lexer import Token, tokens
from bench.repair.cases import Case
from bench.repair.judge import Outcome

CONTEXT = 60
"""Characters of the line shown around a place."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One case that was not repaired."""

    why: str
    line: int
    wanted: str
    got: str


def failure(case: Case, outcome: Outcome) -> Failure:
    """The class of a case that went wrong, with the line as it was and as it came out."""
    edit = case.planted[0]
    edits = (
        [Edit(start, end, new.encode()) for start, end, new in outcome.offered[0]["edits"]] if outcome.offered else []
    )
    got = apply(case.broken, edits)
    return Failure(
        why=_why(case, outcome, edits),
        line=case.clean.count(b"\n", 0, edit.start) + 1,
        wanted=_line(case.clean, edit.start),
        got=_line(got, min(edits[0].start, len(got))) if edits else "",
    )


def _why(case: Case, outcome: Outcome, edits: list[Edit]) -> str:
    planted = case.planted[0]
    lost = case.clean[planted.start : planted.end].strip()
    if case.mode in ("truncate", "two-errors"):
        return _why_several(case, outcome)
    kind = _KINDS.get((bool(lost), bool(planted.new)), "") + f" `{(lost or planted.new).decode('utf-8', 'replace')}`"
    if not edits:
        return f"{kind}: nothing offered"
    tie = "among the first three, " if outcome.three else ""
    return f"{kind}: {tie}{_how(case, planted, lost, edits[0])}"


_KINDS = {(True, False): "lost", (False, True): "doubled", (True, True): "changed"}


def _why_several(case: Case, outcome: Outcome) -> str:
    if not outcome.offered:
        return f"{case.mode}: nothing offered"
    if outcome.three:
        return f"{case.mode}: among the first three of each round"
    return f"{case.mode}: " + ("parses, but another text" if outcome.parses else "still broken afterwards")


def _how(case: Case, planted: Edit, lost: bytes, first: Edit) -> str:
    """How the first suggestion differs from what would have been right."""
    if case.mode in ("extra", "swap"):
        return "another place" if first.start != planted.start else "another edit in the right place"
    new = first.new.strip()
    if first.end > first.start and not new:
        return f"deletes `{case.broken[first.start : first.end].strip().decode('utf-8', 'replace')[:12]}` instead"
    if new != lost:
        return f"does something else (`{new.decode('utf-8', 'replace')[:12]}`)"
    if _fuses(case.clean, planted):
        return "two names fused by the loss, not parted there"
    rows = [case.broken.count(b"\n", 0, at) for at in (planted.start, first.start)]
    if rows[0] != rows[1]:
        return "a later line" if rows[1] > rows[0] else "an earlier line"
    return next(_between(case, planted.start, first.start))


def _fuses(clean: bytes, edit: Edit) -> bool:
    around = clean[edit.start - 1 : edit.start], clean[edit.end : edit.end + 1]
    return all(mark.isalnum() or mark == b"_" for mark in around)


def _between(case: Case, right: int, taken: int) -> Iterator[str]:
    """What stands between the right place and the one taken on the same line."""
    passed = [
        token
        for token in _line_tokens(case, right)
        if min(right, taken) <= token.start < max(right, taken) and token.kind not in ("comment", "newline")
    ]
    texts = {token.text for token in passed}
    where = "too late" if taken > right else "too early"
    if b"," in texts:
        yield f"{where}, an argument or element further"
    if texts & {b"[", b"(", b"{", b"]", b")", b"}"}:
        yield f"{where}, another bracket between"
    if any(token.kind == "op" and token.text != b"." for token in passed):
        yield f"{where}, an operator between"
    if b"." in texts:
        yield f"{where}, a member between"
    yield f"{where}, in the same expression"


def _line_tokens(case: Case, offset: int) -> list[Token]:
    start = case.broken.rfind(b"\n", 0, offset) + 1
    end = case.broken.find(b"\n", offset)
    return tokens(LANGUAGES[case.language], case.broken, start, len(case.broken) if end < 0 else end)


def _line(text: bytes, offset: int) -> str:
    start, end = text.rfind(b"\n", 0, offset) + 1, text.find(b"\n", offset)
    line = text[start : len(text) if end < 0 else end]
    column = offset - start
    shown = line[max(0, column - CONTEXT) : column + CONTEXT]
    return shown.decode("utf-8", "replace").strip()
