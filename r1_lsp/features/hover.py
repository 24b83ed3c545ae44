"""Hover over a function's own name: says where its docstring is missing or wrong. Never calls the model.

What a function is and does, the language's own server says; this is only what it does not say.
"""

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, field

from ast_tools import Function, SyntaxTree
from r1_lsp.features.docstring import Differences, documentable, lacking, unwritable, wrong
from r1_lsp.snapshot import Snapshot

_MOST_DRAFTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What to show at [start, end). `markdown` holds no links, images or HTML; `plain` says the same without marks.

    `wants_draft`: the function has no docstring and no draft is there yet.
    """

    start: int
    end: int
    markdown: str
    plain: str
    wants_draft: bool


@dataclass(slots=True)
class Drafts:
    """Docstrings written ahead, by document and text of the function; the oldest are forgotten first."""

    texts: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    under_way: set[tuple[str, str]] = field(default_factory=set)

    def keep(self, key: tuple[str, str], text: str) -> None:
        self.texts[key] = text
        while len(self.texts) > _MOST_DRAFTS:
            self.texts.popitem(last=False)


def draft_key(snapshot: Snapshot, function: Function) -> tuple[str, str]:
    """What a draft is kept under: a function that was edited needs another one."""
    text = snapshot.text[function.start : function.end]
    return snapshot.uri, hashlib.blake2b(text, digest_size=16).hexdigest()


def hover(snapshot: Snapshot, offset: int, drafts: Drafts) -> Note | None:
    """None where there is nothing to say, which is nearly everywhere."""
    tree = snapshot.tree
    function = named_at(tree, offset) if tree is not None else None
    if tree is None or function is None:
        return None
    if function.docstring is None:
        draft = drafts.texts.get(draft_key(snapshot, function))
        facts = [f"It raises {_code(name)}." for name in function.raises]
        hint = [] if unwritable(tree, function) else [_hint("Write docstring")]
        return _note(tree, function, ["No docstring.", *facts, *hint], draft)
    told = _told(wrong(tree, function))
    if not told:
        return None
    hint = [_hint("Complete docstring")] if lacking(tree, function) else []
    return _note(tree, function, ["The docstring does not fit the signature:", *told, *hint], None)


def named_at(tree: SyntaxTree, offset: int) -> Function | None:
    """The function whose own name, in its definition, stands at an offset."""
    function = documentable(tree, offset)
    if function is None:
        return None
    start, end = _name_span(tree.text, function)
    return function if start <= offset <= end else None


def _name_span(text: bytes, function: Function) -> tuple[int, int]:
    name = re.escape(function.name.encode("utf-8"))
    found = re.compile(rb"(?<![\w$])" + name + rb"(?![\w$])").search(text, function.start, function.header[1])
    return found.span() if found else (-1, -1)


def _told(differs: Differences) -> list[str]:
    told = [f"- {_code(name)} is not described" for name in differs.missing]
    told += [f"- {_code(name)} is described, and no parameter has that name" for name in differs.unknown]
    return told + [f"- {_code(name)} is raised, and that is not said" for name in differs.raises]


def _hint(action: str) -> str:
    return f'Code action here: "{action}".'


def _note(tree: SyntaxTree, function: Function, said: list[str], draft: str | None) -> Note:
    start, end = _name_span(tree.text, function)
    markdown = _paragraphs(said)
    plain = "\n".join(said).replace("`", "")
    if draft is not None:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", draft)), default=0))
        markdown += f"\n\nDraft:\n\n{fence}text\n{draft}\n{fence}"
        plain += f"\n\nDraft:\n{draft}"
    wants = function.docstring is None and draft is None and not unwritable(tree, function)
    return Note(start=start, end=end, markdown=markdown, plain=plain, wants_draft=wants)


def _paragraphs(said: list[str]) -> str:
    """List items stay together, everything else is a paragraph."""
    out = ""
    for before, text in zip(["", *said], said, strict=False):
        out += text if not out else ("\n" if before.startswith("- ") and text.startswith("- ") else "\n\n") + text
    return out


def _code(name: str) -> str:
    """A name as it may stand in markdown: a code span that nothing in the name can end."""
    return "`" + re.sub(r"[^\w.$]", "", name)[:80] + "`"
