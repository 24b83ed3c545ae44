"""One candidate while it streams: cleaned, cut by the parser at each token, and judged at the end."""

from dataclasses import dataclass

import ast_tools
from ast_tools import Cutter, Edit
from ast_tools.lexer import tokens
from r1_lsp.features.completion.cache import reproduces
from r1_lsp.features.completion.hygiene import Scrubber
from r1_lsp.features.completion.spot import inert_tail
from r1_lsp.features.why import Reason
from r1_lsp.snapshot import Snapshot

_GATE_BUDGET_S = 0.05
_SHORTEST_REPEAT = 8
_MOST_BLANK_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What became of a candidate: text to put in at the cursor, or in place of the tail too (`covers`); or a reason."""

    text: str = ""
    covers: bool = False
    reason: Reason | None = None
    detail: str = ""


class Judge:
    """Takes the model's text for one candidate, piece by piece. `done`: more text would be cut off. `unfinished`: the
    model was stopped before it had ended. Without `comments` a suggestion is not a comment alone.

    Where an editor has closed brackets by itself, the text is tried in two ways: put in before them, and, when the
    model says them too, in their place.
    """

    def __init__(
        self, snapshot: Snapshot, offset: int, *, multiline: bool, lead: str = "", comments: bool = True
    ) -> None:
        self._comments = comments
        self.done = False
        self.unfinished = False
        self.said = ""
        self._snapshot, self._offset = snapshot, offset
        self._tail = inert_tail(snapshot, offset)
        self._lead = lead
        self._blank = ""
        self._scrubber = Scrubber()
        self._inserting = Cutter(snapshot.tree, snapshot.language, snapshot.text, offset, multiline=multiline)
        self._covering = self._inserting.again(without=len(self._tail)) if self._tail else None

    def take(self, piece: str) -> None:
        """The next piece of model text."""
        self._feed(self._scrubber.feed(piece))
        self.done = self.done or self._scrubber.ended

    def verdict(self) -> Draft:
        """The end of the stream: what to offer. Call once."""
        if not self.done:
            self._feed(self._scrubber.finish())
        return self._covered() or self._inserted()

    def _feed(self, text: str) -> None:
        text = self._begun(text)
        if not text or self.done:
            return
        self.said += text
        enough = self._inserting.feed(text).done
        if self._covering is not None:
            enough = self._covering.feed(text).done and enough
        self.done = enough

    def _begun(self, text: str) -> str:
        """Holds back white space at the very beginning until it is known what follows, and leaves out what is there.

        That is the blank the prompt left for the model to say, and on a blank line empty lines before the text.
        """
        if self.said:
            return text
        self._blank += text
        if not self._blank.strip():
            self.done = self._blank.count("\n") > _MOST_BLANK_LINES
            return ""
        text, self._blank = self._blank, ""
        word = text.lstrip()
        blank = text[: -len(word)]
        line_start = self._snapshot.lines.start(self._snapshot.lines.line_at(self._offset))
        before = self._snapshot.text[line_start : self._offset].decode("utf-8", "replace")
        if not before.strip() and blank.rpartition("\n")[1:] == ("\n", before):
            return word
        return text.removeprefix(self._lead)

    def _covered(self) -> Draft | None:
        """The text with the tail in it, when the model said all of it: then it takes the tail's place."""
        if self._covering is None:
            return None
        text = self._covering.finish(unfinished=self.unfinished).text
        first_line = text.splitlines()[0].encode("utf-8", "replace") if text.strip() else b""
        # What the cutter closed by itself does not count: the model must have said the tail.
        if first_line.strip() == self._tail.strip() or first_line.strip().decode("utf-8", "replace") not in self.said:
            return None
        if not reproduces(first_line, self._tail.strip()):
            return None
        draft = Draft(text=text, covers=True)
        return None if self._breaks(draft) else draft

    def _inserted(self) -> Draft:
        result = self._inserting.finish(unfinished=self.unfinished)
        if not result.text.strip():
            rejected = result.reason is not None and bool(self.said.strip())
            reason = Reason.REJECTED if rejected else Reason.EMPTY
            return Draft(reason=reason, detail=ast_tools.REASONS.get(result.reason or "", "") if rejected else "")
        if repeats(self._snapshot, self._offset, result.text):
            return Draft(reason=Reason.REPEATS)
        if not self._comments and self._only_comments(result.text):
            return Draft(reason=Reason.COMMENT)
        return Draft(text=result.text)

    def _only_comments(self, text: str) -> bool:
        """Whether the text begins on a fresh line and holds no code."""
        lines, language = self._snapshot.lines, self._snapshot.language
        if language is None or self._snapshot.text[lines.start(lines.line_at(self._offset)) : self._offset].strip():
            return False
        data = text.strip().encode("utf-8", "replace")
        block = language.block_comment is not None and data.startswith(language.block_comment[0].encode())
        kinds = {"comment", "newline", "unclosed"} if block else {"comment", "newline"}
        return all(token.kind in kinds for token in tokens(language, data))

    def _breaks(self, draft: Draft) -> bool:
        """Whether the file would have more syntax errors than it has. Unknown (no tree, no time) counts as no.

        The cutter judges what goes in before the tail; it knows nothing of a tail that is taken away.
        """
        tree = self._snapshot.tree
        if tree is None:
            return False
        end = self._offset + (len(self._tail) if draft.covers else 0)
        edit = Edit(start=self._offset, end=end, new=draft.text.encode("utf-8", "replace"))
        return ast_tools.adds_errors(tree, ast_tools.apply(tree.text, (edit,)), edit, _GATE_BUDGET_S) is True


def repeats(snapshot: Snapshot, offset: int, text: str) -> bool:
    """Whether a suggestion only says again the line above, or the lines that follow anyway."""
    lines = snapshot.lines
    line = lines.line_at(offset)
    first = (snapshot.text[lines.start(line) : offset] + text.partition("\n")[0].encode("utf-8", "replace")).strip()
    if len(first) < _SHORTEST_REPEAT:
        return False
    above = next((lines.line(n).strip() for n in range(line - 1, max(line - 4, -1), -1) if lines.line(n).strip()), b"")
    below = [lines.line(n).strip() for n in range(line + 1, min(line + 4, lines.count))]
    below = [one for one in below if one]
    return first == above or (bool(below) and first == below[0])


def in_order(drafts: list[Draft]) -> list[Draft]:
    """The ones to offer, each text once, in the order they were made; without any, the first one's reason."""
    found: dict[str, Draft] = {}
    for draft in drafts:
        if draft.reason is None:
            found.setdefault(draft.text.strip(), draft)
    return list(found.values()) or drafts[:1]
