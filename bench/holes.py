"""Where a completion is cut: holes in real files, and a model that says what stood there and does not stop.

    python -m bench.holes [--seed N] [--show LANGUAGE]        (make bench-holes)

A hole is a whole statement, the rest of one behind a blank or a bracket, or the statements of a block. The model's text
is what stood there and then what a model that does not stop would add: the file goes on, or other code of the same file
follows. Whatever is cut off too early, left in or rejected is a mistake of the cut alone. Files of the "dev" projects.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from ast_tools import LANGUAGES, Cutter, Language, parse
from bench.corpora import SUFFIXES, files, notes
from bench.report import Report

HOLES = 150
"""For each language and kind."""
AFTER = 600
"""Bytes that the model goes on with."""
LONGEST = 20
"""Lines of a block."""
PIECE = 4
"""Characters fed at once, about a token."""
WANTED = {"statement": 99, "rest": 98, "block": 88}
"""Per cent of the holes that are to be filled with what stood there, letter by letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A file with a piece taken out, and what a model says there."""

    language: Language
    where: str
    before: bytes
    piece: bytes
    after: bytes
    more: bytes
    multiline: bool

    def filled(self) -> tuple[str, str]:
        """What is shown, and the reason of its end."""
        text, model = self.before + self.after, (self.piece + self.more).decode()
        tree = parse(self.language, text)
        cutter = Cutter(tree, self.language, text, len(self.before), multiline=self.multiline)
        for at in range(0, len(model), PIECE):
            if cutter.feed(model[at : at + PIECE]).done:
                break
        result = cutter.finish(unfinished=True)
        return result.text, result.reason or "end"


def statements(language: Language, text: bytes) -> list[tree_sitter.Node]:
    """Named children of bodies that take whole lines."""
    tree = parse(language, text, 2.0)
    found, stack = [], [tree.root] if tree is not None else []
    while stack:
        node = stack.pop()
        if node.type in language.bodies:
            found += [child for child in node.named_children if _takes_lines(language, text, child)]
        stack += node.children
    return found


def _takes_lines(language: Language, text: bytes, node: tree_sitter.Node) -> bool:
    line_end = text.find(b"\n", node.end_byte)
    before = text[text.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
    rest = text[node.end_byte : line_end if line_end >= 0 else len(text)].strip()
    return node.type not in language.comments and not before.strip() and rest in (b"", b";", b",")


def holes(language: Language, kind: str, rng: random.Random) -> Iterator[Hole]:
    """Endless."""
    sources = files(language.name, "dev")
    while True:
        file = rng.choice(sources)
        text = file.read()
        made = KINDS[kind](language, text, rng)
        if made is None:
            continue
        start, end = made
        elsewhere = rng.choice(text.split(b"\n\n"))[:AFTER] if rng.random() < 0.5 else text[end : end + AFTER]
        more = elsewhere if elsewhere.startswith(b"\n") else b"\n" + elsewhere
        yield Hole(
            language=language,
            where=f"{file.path.name}:{text.count(10, 0, start) + 1}",
            before=text[:start],
            piece=text[start:end],
            after=text[end:],
            more=more.decode("utf-8", "ignore").encode(),
            multiline=kind == "block",
        )


def a_statement(language: Language, text: bytes, rng: random.Random) -> tuple[int, int] | None:
    """A statement of one line; the caret stands after its indentation."""
    lines = [node for node in statements(language, text) if node.start_point.row == node.end_point.row]
    if not lines:
        return None
    node = rng.choice(lines)
    line_end = text.find(b"\n", node.end_byte)
    return node.start_byte, line_end if line_end >= 0 else len(text)


def a_rest(language: Language, text: bytes, rng: random.Random) -> tuple[int, int] | None:
    """The rest of a statement of one line, behind one of its blanks or brackets."""
    found = a_statement(language, text, rng)
    if found is None:
        return None
    places = [at + 1 for at in range(found[0], found[1] - 2) if text[at : at + 1] in b" (.=["]
    return (rng.choice(places), found[1]) if places else None


def a_block(language: Language, text: bytes, rng: random.Random) -> tuple[int, int] | None:
    """All the statements of a block, if it is not too long; the caret stands after the first's indentation."""
    bodies: dict[int, tree_sitter.Node] = {}
    for node in statements(language, text):
        parent = node.parent
        if parent is not None and parent.parent is not None and parent.start_point.row < parent.end_point.row:
            bodies[parent.id] = parent
    if not bodies:
        return None
    inside = [node for node in rng.choice(list(bodies.values())).named_children if _takes_lines(language, text, node)]
    if not inside or inside[-1].end_point.row - inside[0].start_point.row > LONGEST:
        return None
    line_end = text.find(b"\n", inside[-1].end_byte)
    return inside[0].start_byte, line_end if line_end >= 0 else len(text)


KINDS = {"statement": a_statement, "rest": a_rest, "block": a_block}


def outcome(shown: str, wanted: str) -> str:
    """White space around the text aside."""
    if shown.strip() == wanted.strip():
        return "right"
    if not shown.strip():
        return "nothing"
    return "short" if len(shown) < len(wanted) else "long"


def show(hole: Hole, shown: str, reason: str) -> None:
    """One mistake, to be read."""
    before, after = hole.before[-200:].decode("utf-8", "replace"), hole.after[:120].decode("utf-8", "replace")
    print(f"==== {hole.language.name} {hole.where} ({reason})\n{before}<|>{after}")
    for title, text in (("wanted", hole.piece.decode()), ("shown", shown), ("more", hole.more[:200].decode())):
        print(f"---- {title}\n{text}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.holes", description="Where a completion is cut.")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--show", choices=SUFFIXES, help="print the mistakes in this language")
    options = parser.parse_args()
    report = Report("holes")
    report.notes += [f"seed {options.seed}, {HOLES} holes for each language and kind", *notes()]
    for name in SUFFIXES:
        for kind, wanted in WANTED.items():
            outcomes = Counter[str]()
            endless = holes(LANGUAGES[name], kind, random.Random(f"{options.seed} {name} {kind}"))
            for _, hole in zip(range(HOLES), endless, strict=False):
                shown, reason = hole.filled()
                became = outcome(shown, hole.piece.decode())
                outcomes[became] += 1
                if became != "right" and options.show == name:
                    show(hole, shown, reason)
            right = 100 * outcomes["right"] / HOLES
            figures = ", ".join(f"{became} {100 * count / HOLES:.1f}" for became, count in outcomes.most_common())
            report.row(f"{name}: {kind}", figures, f"right >= {wanted}", ok=right >= wanted, value=right)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
