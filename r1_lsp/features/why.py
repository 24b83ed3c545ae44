"""Why the last suggestions were shown, or were not: reason codes with sentences, and a short memory of them.

The memory is a ring in this process and the same lines in a small file, so that `r1-lsp why` can print them later;
without source text.
"""

import asyncio
import contextlib
import json
import logging
import threading
from collections import deque
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from engine.platform import state_dir

logger = logging.getLogger(__name__)

KEPT = 50
"""How many records are kept, in memory and in the file."""


class Reason(StrEnum):
    """What became of a suggestion. The values are stable: scripts and bug reports name them."""

    SHOWN = "shown"
    OFF = "off"
    MANUAL = "manual"
    TOO_LARGE = "too-large"
    SECRET = "secret-file"
    INSIDE_WORD = "inside-word"
    TEXT_AFTER = "text-after"
    NOTHING_BEFORE = "nothing-before"
    IN_COMMENT = "in-comment"
    IN_STRING = "in-string"
    UNDONE = "undone"
    DISMISSED = "dismissed"
    EMPTY = "empty"
    REPEATS = "repeats"
    REJECTED = "rejected"
    COMMENT = "only-comment"
    SELECTED = "selected-differs"
    ENGINE = "engine"


SENTENCES: dict[Reason, str] = {
    Reason.SHOWN: "A suggestion was shown.",
    Reason.OFF: "Suggestions are switched off for this language (r1.completion.suggest).",
    Reason.MANUAL: "Suggestions come only when asked for in this language (r1.completion.suggest).",
    Reason.TOO_LARGE: "The file is too large for suggestions while typing.",
    Reason.SECRET: "The file looks as if it holds secrets, so the model does not read it.",
    Reason.INSIDE_WORD: "The cursor stood inside a word.",
    Reason.TEXT_AFTER: "Other text followed the cursor on its line, so an insertion made no sense.",
    Reason.NOTHING_BEFORE: "There was no text before the cursor to go on from.",
    Reason.IN_COMMENT: "The cursor stood in a comment (r1.completion.inComments).",
    Reason.IN_STRING: "The cursor stood in a string (r1.completion.inComments).",
    Reason.UNDONE: "The last change was undone.",
    Reason.DISMISSED: "The same suggestion was dismissed here before.",
    Reason.EMPTY: "The model had nothing to add.",
    Reason.REPEATS: "The model only repeated the lines around the cursor.",
    Reason.REJECTED: "What the model said did not fit here.",
    Reason.COMMENT: "The model began a comment and wrote no code (r1.completion.inComments).",
    Reason.SELECTED: "The suggestion did not fit the entry selected in the completion menu.",
    Reason.ENGINE: "The model could not answer.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One request and what became of it. `line` and `column` are 1-based, `column` counts bytes; no source text."""

    when: float
    path: str
    line: int
    column: int
    reason: Reason
    source: str = ""
    detail: str = ""
    took_ms: float = 0.0

    @property
    def sentence(self) -> str:
        return f"{SENTENCES[self.reason]} {self.detail}".strip()


class Memory:
    """The last records, oldest first; written to `path` line by line, by a thread: the event loop waits for no disk.

    A file that cannot be written is only logged.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.records: deque[Record] = deque(maxlen=KEPT)
        self._path = path or default_path()
        self._unwritten: deque[Record] = deque()
        self._writing = threading.Lock()
        self._lines = -1

    def add(self, record: Record) -> None:
        """Call on the event loop."""
        self.records.append(record)
        self._unwritten.append(record)
        asyncio.get_running_loop().run_in_executor(None, self._write)

    def _write(self) -> None:
        with self._writing:
            records = [self._unwritten.popleft() for _ in range(len(self._unwritten))]
            try:
                self._append(records)
            except OSError as exc:
                logger.debug("the record of suggestions cannot be written: %s", exc)

    def _append(self, records: list[Record]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._lines < 0:
            self._lines = len(read_records(self._path))
        if self._lines >= 2 * KEPT:
            records = [*read_records(self._path), *records][-KEPT:]
            self._path.write_text("".join(map(_line, records)), encoding="utf-8")
            self._lines = len(records)
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write("".join(map(_line, records)))
        self._lines += len(records)


def default_path() -> Path:
    """Where the records of this user are kept."""
    return state_dir() / "why.jsonl"


def read_records(path: Path | None = None) -> list[Record]:
    """The records in the file, oldest first; lines that cannot be read are left out."""
    found = []
    with contextlib.suppress(OSError):
        for line in (path or default_path()).read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError, KeyError):
                raw = json.loads(line)
                found.append(Record(**{**raw, "reason": Reason(raw["reason"])}))
    return found


def _line(record: Record) -> str:
    return json.dumps(asdict(record), ensure_ascii=True) + "\n"
