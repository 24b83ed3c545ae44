"""Open documents together with their syntax trees, which are parsed in slices on the loop."""

import asyncio
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ast_tools import TreeSession, language_of
from r1_lsp.proto import Encoding, path_of
from r1_lsp.snapshot import MAX_PARSED_BYTES, Snapshot
from r1_lsp.wire.documents import Document, DocumentStore
from r1_lsp.wire.outcomes import Outdated

if TYPE_CHECKING:
    from ast_tools import Language

_log = logging.getLogger(__name__)

_SLICE_S = 0.003
"""A grammar looks at the clock every hundred steps, and some steps are long: it may take twice as much."""


class Texts:
    """The document store of the wire plus one TreeSession per document whose language we know."""

    def __init__(self, encoding: Encoding) -> None:
        self._store = DocumentStore(encoding)
        self._trees: dict[str, TreeSession] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def open(self, item: Mapping[str, Any]) -> Document | None:
        """Takes a `TextDocumentItem`; None when it is none."""
        document = self._store.open(item)
        if document is not None:
            self._trees.pop(document.uri, None)
            self._plant(document)
        return document

    def close(self, uri: str) -> None:
        self._store.close(uri)
        self._trees.pop(uri, None)
        self._turns.pop(uri, None)

    def change(self, identifier: Mapping[str, Any], changes: object) -> Document | None:
        """Makes the edits of one `didChange`; the document, or None when nothing was to be changed."""
        applied = self._store.change(identifier, changes)
        if applied is None:
            return None
        document = self._store.get(str(identifier.get("uri")))
        assert document is not None
        tree = self._trees.get(document.uri)
        if tree is None or len(document.lines.text) > MAX_PARSED_BYTES:
            self._trees.pop(document.uri, None)
            self._plant(document)
            return document
        for edit in applied:
            tree.edit(edit.start, edit.old_end, edit.new, edit.lines.text)
        return document

    def snapshot(self, uri: str) -> Snapshot | None:
        """The document now; None when it is not open or out of step."""
        document = self._store.get(uri)
        if document is None or not document.in_step:
            return None
        tree = self._trees.get(uri)
        return Snapshot(
            uri=uri,
            path=path_of(uri),
            version=document.version,
            language=_language(document),
            language_id=document.language_id,
            lines=document.lines,
            tree=tree.tree if tree is not None else None,
            recent_edits=tuple(document.recent_edits),
        )

    async def parsed(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with its tree. Raises Outdated when the document changed.

        One of those who wait parses for all, so that many of them hold the loop no longer than one.
        """
        async with self._turns.setdefault(snapshot.uri, asyncio.Lock()):
            while True:
                document, trees = self._store.get(snapshot.uri), self._trees.get(snapshot.uri)
                if document is None or document.lines is not snapshot.lines:
                    raise Outdated
                if trees is None or trees.gave_up or trees.tree is not None or trees.advance(_SLICE_S) is not None:
                    return self.snapshot(snapshot.uri) or snapshot
                await asyncio.sleep(0)

    async def renew(self, uri: str) -> None:
        """Makes a broken document's tree what a whole parse gives, in slices; ends when the document changes."""
        trees = self._trees.get(uri)
        while trees is not None and not trees.renew(_SLICE_S):
            await asyncio.sleep(0)
            if self._trees.get(uri) is not trees:
                break

    def _plant(self, document: Document) -> None:
        language = _language(document)
        if language is not None and len(document.lines.text) <= MAX_PARSED_BYTES:
            self._trees[document.uri] = TreeSession(language, document.lines.text)


def _language(document: Document) -> "Language | None":
    return _language_of(document.language_id, document.uri)


@lru_cache(maxsize=256)
def _language_of(language_id: str, uri: str) -> "Language | None":
    """Asked with every snapshot, several times a key."""
    return language_of(language_id, path_of(uri))
