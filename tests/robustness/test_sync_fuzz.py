"""Random edits, each odd character there is, three encodings: our document equals the plain one after every edit."""

import json
import random
from typing import Any

import pytest

from r1_lsp.proto import ENCODINGS, Encoding, offset_at, position_of
from r1_lsp.wire.documents import Document, DocumentStore
from tests.support.fuzz import scaled, seeded
from tests.support.plain_document import PlainDocument, units

URI = "file:///a.py"

# Line ends, what str.splitlines wrongly takes for line ends, and characters of every width, halves of pairs too.
ALPHABET = [
    *["\n", "\r\n", "\r", "\n\r", "\f", "\v", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\ufeff", "\0"],
    *["a", "b ", "foo", "    ", "\t", "é", "ß", "e\u0301", "中", "😀", "𝒳", "\u200d", "\ud83d", "\ude00", "\udc80"],
]


@pytest.mark.fuzz
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_random_edits_equal_the_full_text(encoding: Encoding) -> None:
    rng = seeded(f"sync {encoding}")
    left = scaled(5_000)
    while left > 0:
        n_edits = min(left, 50)
        left -= n_edits
        store, plain = _opened(rng, encoding)
        for version in range(2, n_edits + 2):
            changes = [_change(rng, plain) for _ in range(rng.choice((1, 1, 1, 2, 4)))]
            store.change({"uri": URI, "version": version}, json.loads(json.dumps(changes)))
            _check(store, plain)


@pytest.mark.fuzz
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ranges_that_are_none_change_nothing(encoding: Encoding) -> None:
    rng = seeded(f"bad ranges {encoding}")
    for _ in range(scaled(500)):
        store, _ = _opened(rng, encoding)
        before = _document(store).lines.text
        store.change({"uri": URI, "version": 2}, json.loads(json.dumps([_bad_change(rng)])))
        assert _document(store).lines.text == before
        assert not _document(store).in_step
        store.change({"uri": URI, "version": 3}, [{"range": _range((0, 0), (0, 0)), "text": "x"}])
        assert _document(store).lines.text == before, "nothing is applied to a document out of step"
        store.change({"uri": URI, "version": 4}, [{"text": "whole"}])
        assert (_document(store).lines.text, _document(store).in_step) == (b"whole", True)


@pytest.mark.fuzz
def test_versions_in_any_order() -> None:
    rng = seeded("versions")
    for _ in range(scaled(50)):
        store, plain = _opened(rng, "utf-16")
        newest = 1
        for _ in range(20):
            version = newest + rng.choice((-3, -1, 0, 1, 2))
            change = {"range": _range((0, 0), (0, 0)), "text": f"{version};"}
            applied = store.change({"uri": URI, "version": version}, [change])
            assert (applied is None) == (version < newest)
            if version >= newest:
                newest = version
                plain.replace((0, 0), (0, 0), f"{version};")
            _check(store, plain)


def _opened(rng: random.Random, encoding: Encoding) -> tuple[DocumentStore, PlainDocument]:
    text = json.loads(json.dumps("".join(rng.choices(ALPHABET, k=rng.randrange(40)))))
    store = DocumentStore(encoding)
    store.open({"uri": URI, "languageId": "python", "version": 1, "text": text})
    return store, PlainDocument(text, encoding)


def _document(store: DocumentStore) -> Document:
    document = store.get(URI)
    assert document is not None
    return document


def _change(rng: random.Random, plain: PlainDocument) -> dict[str, Any]:
    """A change, made to the plain document too."""
    text = json.loads(json.dumps("".join(rng.choices(ALPHABET, k=rng.choice((0, 1, 1, 2, 5))))))
    if rng.random() < 0.02:
        plain.units = units(text, plain.encoding)
        return {"text": text}
    start, end = sorted((_position(rng, plain), _position(rng, plain)))
    plain.replace(start, end, text)
    return {"range": _range(start, end), "text": text}


def _position(rng: random.Random, plain: PlainDocument) -> tuple[int, int]:
    starts = plain.line_starts()
    line = rng.randrange(len(starts) + (rng.random() < 0.05))
    return line, rng.choice((rng.randrange(8), rng.randrange(40), 2**31 - 1 if rng.random() < 0.1 else 0))


def _range(start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    names = ("line", "character")
    return {"start": dict(zip(names, start, strict=True)), "end": dict(zip(names, end, strict=True))}


def _bad_change(rng: random.Random) -> Any:
    line = rng.randrange(1, 9)
    return rng.choice(
        [
            {"range": _range((line, 0), (line - 1, 5)), "text": "x"},
            {"range": _range((0, 5), (0, 4)), "text": "x"},
            {"range": _range((0, -1), (0, 0)), "text": "x"},
            {"range": {"start": {"line": 0}}, "text": "x"},
            {"range": _range((0, 0), (0, 0)), "text": None},
            {"range": [0, 1], "text": "x"},
            {"range": {"start": {"line": 0.5, "character": 0}, "end": {"line": 1, "character": 0}}, "text": "x"},
            {"range": {"start": {"line": True, "character": 0}, "end": {"line": 1, "character": 0}}, "text": "x"},
            {},
            None,
            7,
        ]
    )


def _check(store: DocumentStore, plain: PlainDocument) -> None:
    lines = _document(store).lines
    assert units(lines.text, plain.encoding) == plain.units
    assert lines.count == len(plain.line_starts())
    encoding: Encoding = next(known for known in ENCODINGS if known == plain.encoding)
    for line, start in enumerate(plain.line_starts()):
        assert position_of(lines, lines.start(line), encoding).character == 0
        assert len(units(lines.text[: lines.start(line)], plain.encoding)) == start
        position = position_of(lines, lines.end(line), encoding)
        assert offset_at(lines, line, position.character, encoding) == lines.end(line)
        assert plain.index(line, position.character) == start + position.character
    for first, last in _document(store).recent_edits:
        assert 0 <= first <= last <= len(lines.text)
