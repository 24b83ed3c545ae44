"""The open documents, exactly as the editor has them.

Written instead of pygls's workspace because that splits lines at form feeds and U+2028, applies reversed ranges and
stale versions, reads unopened files from disk, and copies a document several times per edit.

An edit that cannot be applied for certain (a reversed range, a range that is no range) leaves the document out of step:
it is then not answered for until the editor sends its whole text again or opens it anew.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ast_tools.lines import Lines
from r1_lsp.proto import Encoding, offset_at, position_of

_log = logging.getLogger(__name__)

_RECENT = 8


@dataclass(frozen=True, slots=True)
class Applied:
    """One edit that was made: bytes start..old_end became `new`, which made the text `lines`."""

    start: int
    old_end: int
    new: bytes
    lines: Lines


@dataclass(slots=True, kw_only=True)
class Document:
    """One open document. `recent_edits` are byte ranges in the current text, newest first."""

    uri: str
    language_id: str
    version: int | None
    lines: Lines
    in_step: bool = True
    recent_edits: list[tuple[int, int]] = field(default_factory=list)


class DocumentStore:
    """Open documents by URI. Belongs to the loop thread."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._documents: dict[str, Document] = {}

    def get(self, uri: str) -> Document | None:
        return self._documents.get(uri)

    def open(self, item: Mapping[str, Any]) -> Document | None:
        """Takes a `TextDocumentItem`; None when it has no URI or no text."""
        uri, text, language = item.get("uri"), item.get("text"), item.get("languageId")
        if not isinstance(uri, str) or not isinstance(text, str):
            _log.warning("a document without uri or text was opened; it is ignored")
            return None
        document = Document(
            uri=uri,
            language_id=language if isinstance(language, str) else "",
            version=_version(item.get("version")),
            lines=Lines(self._encoded(text)),
        )
        self._documents[uri] = document
        return document

    def close(self, uri: str) -> None:
        self._documents.pop(uri, None)

    def change(self, identifier: Mapping[str, Any], changes: object) -> list[Applied] | None:
        """Makes the edits of one `didChange`, in order.

        None when the document is not open or the version is older than ours: nothing was changed. A document that
        is or falls out of step has `in_step` False afterwards.
        """
        document = self._documents.get(str(identifier.get("uri")))
        if document is None:
            _log.warning("a document that is not open was changed; the change is ignored")
            return None
        version = _version(identifier.get("version"))
        if version is not None and document.version is not None and version < document.version:
            _log.warning("a change to version %d came after version %d; it is ignored", version, document.version)
            return None
        document.version = version if version is not None else document.version
        applied: list[Applied] = []
        for change in changes if isinstance(changes, list) else [None]:
            applied += self._apply(document, change)
        return applied

    def _apply(self, document: Document, change: object) -> list[Applied]:
        text = change.get("text") if isinstance(change, dict) else None
        if not isinstance(change, dict) or not isinstance(text, str):
            return self._lost(document, "a change has no text")
        if change.get("range") is None:
            document.in_step = True
            new = self._encoded(text)
            edit = Applied(0, len(document.lines.text), new, Lines(new))
            document.lines = edit.lines
            document.recent_edits.clear()
            return [edit]
        if not document.in_step:
            return []
        place = _range(change["range"])
        if place is None:
            return self._lost(document, "a change has a range that is none")
        if place[:2] > place[2:]:
            return self._lost(document, "a change has its range reversed")
        return self._record(document, _edits(document.lines, place, self._encoded(text), self._encoding))

    def _lost(self, document: Document, why: str) -> list[Applied]:
        document.in_step = False
        _log.warning("%s; the document is not answered for until its whole text comes again", why)
        return []

    def _record(self, document: Document, edits: list[Applied]) -> list[Applied]:
        for edit in edits:
            document.lines = edit.lines
            document.recent_edits = _moved(document.recent_edits, edit)[:_RECENT]
        return edits

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode()
        except UnicodeEncodeError:
            if self._encoding == "utf-16":  # here a high surrogate followed by a low one is one character
                text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
            return text.encode("utf-8", "surrogatepass")


def _edits(lines: Lines, place: tuple[int, int, int, int], new: bytes, encoding: Encoding) -> list[Applied]:
    """The edit wanted; around it, in rare cases, what it takes to cut a surrogate pair before and join one after it."""
    start = end = offset_at(lines, *place[:2], encoding)
    if place[2:] != place[:2]:
        end = offset_at(lines, *place[2:], encoding)
    if encoding != "utf-16":
        return [_edit(lines, start, end, new)]
    edits: list[Applied] = []
    cut_start, cut_end = _cuts_pair(lines, start, place[:2]), _cuts_pair(lines, end, place[2:])
    if cut_end:
        edits.append(_edit(lines, end, end + 4, _halves(lines.text[end : end + 4])))
    if cut_start and start != end:
        lines = edits[-1].lines if edits else lines
        edits.append(_edit(lines, start, start + 4, _halves(lines.text[start : start + 4])))
        end += 2  # two halves take six bytes, the pair took four
    start, end = start + 3 * cut_start, end + 3 * cut_end
    edits.append(_edit(edits[-1].lines if edits else lines, start, end, new))
    for seam in (start + len(new), start):
        text = edits[-1].lines.text
        if seam >= 3 and _is_pair(text[seam - 3 : seam + 3]):
            edits.append(_edit(edits[-1].lines, seam - 3, seam + 3, _whole(text[seam - 3 : seam + 3])))
    return edits


def _edit(lines: Lines, start: int, end: int, new: bytes) -> Applied:
    return Applied(start, end, new, lines.replaced(start, end, new))


def _cuts_pair(lines: Lines, offset: int, position: tuple[int, int]) -> bool:
    """Whether a utf-16 position points into the middle of the character at `offset`, which takes two units."""
    if lines.text[offset : offset + 1] < b"\xf0":
        return False
    return position_of(lines, offset, "utf-16").character < position[1]


def _halves(character: bytes) -> bytes:
    """A character beyond U+FFFF as two lone surrogates, three bytes each."""
    wide = character.decode().encode("utf-16-le")
    return b"".join(
        wide[i : i + 2].decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass") for i in (0, 2)
    )


def _whole(halves: bytes) -> bytes:
    text = halves.decode("utf-8", "surrogatepass")
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()


def _is_pair(six: bytes) -> bool:
    """Whether six bytes are a high and a low surrogate."""
    return len(six) == 6 and six[0] == six[3] == 0xED and six[1] & 0xF0 == 0xA0 and six[4] & 0xF0 == 0xB0


def _moved(ranges: list[tuple[int, int]], edit: Applied) -> list[tuple[int, int]]:
    """Recent ranges after one more edit, which comes first and takes in those it touches."""
    first, last = edit.start, edit.start + len(edit.new)
    shift = last - edit.old_end
    kept = []
    for start, end in ranges:
        if end < edit.start:
            kept.append((start, end))
        elif start > edit.old_end:
            kept.append((start + shift, end + shift))
        else:
            first, last = min(first, start), max(last, end + shift)
    return [(first, last), *kept]


def _range(value: object) -> tuple[int, int, int, int] | None:
    """(line, character, line, character) of a range; None when it is none."""
    if not isinstance(value, dict):
        return None
    ends = [_position(value.get("start")), _position(value.get("end"))]
    return (*ends[0], *ends[1]) if ends[0] is not None and ends[1] is not None else None


def _position(value: object) -> tuple[int, int] | None:
    if not isinstance(value, dict):
        return None
    line, character = value.get("line"), value.get("character")
    if type(line) is not int or type(character) is not int or line < 0 or character < 0:
        return None
    return line, character


def _version(value: object) -> int | None:
    return value if type(value) is int else None
