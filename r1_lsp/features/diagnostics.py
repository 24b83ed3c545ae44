"""What we report by ourselves: syntax errors, by default only those we can surely repair; checkers' words on save."""

import hashlib
from dataclasses import dataclass, field

from r1_lsp.features.checkers import COMPILE, PYTHON_COMPILER, SOURCE, SYNTAX, Checker, Finding, Subject, configured
from r1_lsp.features.repairing import Broken
from r1_lsp.settings import DiagnosticsLevel, Settings
from r1_lsp.snapshot import Snapshot


@dataclass(slots=True)
class Kept:
    """What checkers said when a document was saved, by URI, with the text they said it about."""

    said: dict[str, tuple[bytes, tuple[Finding, ...]]] = field(default_factory=dict)

    def of(self, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Nothing once the text has changed: the places would be wrong."""
        text, findings = self.said.get(snapshot.uri, (b"", ()))
        return findings if text == snapshot.text else ()


def syntax_findings(text: bytes, broken: Broken, level: DiagnosticsLevel) -> tuple[Finding, ...]:
    """Our syntax errors, of what r1_lsp.features.repairing found in this text."""
    if level == "off":
        return ()
    sure = tuple(_finding(repair.start, repair.end, repair.reason) for repair in broken.repairs if repair.sure)
    if level == "sure":
        return sure
    unsure = [_finding(repair.start, repair.end, repair.reason) for repair in broken.repairs if not repair.sure]
    said = list(sure)
    for problem in broken.problems:
        found = _finding(problem.start, problem.end, problem.message)
        if not any(_same_line(text, found, other) for other in said):
            # A repair knows what is wrong better than the grammar, which only knows where it could not go on.
            said.append(next((other for other in unsure if _same_line(text, found, other)), found))
    return tuple(said)


async def saved_findings(snapshot: Snapshot, settings: Settings, root: str | None) -> tuple[Finding, ...]:
    """What the configured checkers say of a saved file, and Python's compiler where everything is to be reported."""
    if snapshot.language is None or settings.diagnostics.level == "off":
        return ()
    subject = Subject(text=snapshot.text, language=snapshot.language, path=snapshot.path, root=root)
    asked: list[Checker] = [*configured(snapshot.language, settings.fix.checkers)]
    if settings.diagnostics.level == "all" and snapshot.language.name == "python":
        asked.append(PYTHON_COMPILER)
    found = [finding for checker in asked for finding in await checker.ask(subject) or ()]
    clean = snapshot.tree is not None and not snapshot.tree.has_error
    # Where our parser is content, the compiler's words may be those of an older Python about newer syntax.
    newer = snapshot.language.newer
    return tuple(f for f in found if f.code != COMPILE or (clean and not f.message.startswith(newer)))


def result_id(findings: tuple[Finding, ...], text: bytes) -> str:
    """A name for a list of findings about a text: the same as before means that nothing has to be sent again."""
    return hashlib.blake2b(repr(findings).encode() + b"\0" + text, digest_size=12).hexdigest()


def _same_line(text: bytes, one: Finding, other: Finding) -> bool:
    """Two errors on one line are taken for one: the grammar and the repair name it differently."""
    first, last = sorted((one.start, other.start))
    return text.find(b"\n", first, last) < 0


def _finding(start: int, end: int, message: str) -> Finding:
    return Finding(start=start, end=end, message=message, code=SYNTAX, source=SOURCE)
