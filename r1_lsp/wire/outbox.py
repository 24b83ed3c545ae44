"""The one way out: frames in order, written by one thread.

Bounded where the editor does not read: a keyed notification (progress, diagnostics of a file, log) replaces the waiting
one of its key, and past ROOM_BYTES the reader stops reading. Responses are never dropped.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

_REPLACE_BYTES = 1024 * 1024
"""Backlog from which a keyed notification replaces the one that waits."""

ROOM_BYTES = 32 * 1024 * 1024


class Outbox:
    """A queue of frames between the loop and the writer thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frames: dict[int, tuple[bytes, object]] = {}  # by number, in the order of posting
        self._waiting: dict[object, int] = {}  # key -> its newest frame in the queue
        self._number = 0
        self._backlog = 0
        self._closed = False

    def post(self, frame: bytes, key: object = None) -> None:
        """Queues a frame; after `close` it is dropped."""
        with self._changed:
            if self._closed:
                return
            number = self._waiting.get(key) if self._backlog > _REPLACE_BYTES else None
            if number is None:
                number = self._number = self._number + 1
            else:
                self._backlog -= len(self._frames[number][0])
            self._backlog += len(frame)
            self._frames[number] = (frame, key)
            if key is not None:
                self._waiting[key] = number
            self._changed.notify_all()

    def take(self, timeout_s: float | None = None) -> bytes | None:
        """The next frame, waiting for it; None when closed or the time is over. It counts as backlog until `done`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._frames or self._closed, timeout_s) or not self._frames:
                return None
            number = next(iter(self._frames))
            frame, key = self._frames.pop(number)
            if self._waiting.get(key) == number:
                del self._waiting[key]
            return frame

    def done(self, frame: bytes) -> None:
        """Says that a frame was written."""
        with self._changed:
            self._backlog -= len(frame)
            self._changed.notify_all()

    @property
    def backlog(self) -> int:
        """Bytes posted and not yet written."""
        return self._backlog

    def wait_for_room(self) -> None:
        """Blocks while the backlog is larger than ROOM_BYTES."""
        with self._changed:
            self._changed.wait_for(lambda: self._backlog <= ROOM_BYTES or self._closed)

    def flush(self, timeout_s: float) -> None:
        """Waits until everything is written, at most that long."""
        with self._changed:
            self._changed.wait_for(lambda: self._backlog == 0 or self._closed, timeout_s)

    def close(self) -> None:
        """Drops what waits; ends `take`."""
        with self._changed:
            self._closed = True
            self._frames.clear()
            self._waiting.clear()
            self._changed.notify_all()


def write_all(outbox: Outbox, descriptor: int, on_broken: Callable[[], object]) -> None:
    """Body of the writer thread: writes frames until the outbox closes or the editor is gone."""
    while (frame := outbox.take()) is not None:
        try:
            _write(descriptor, frame)
        except OSError:
            _log.info("the editor closed its end")
            outbox.close()
            on_broken()
            return
        outbox.done(frame)


def _write(descriptor: int, frame: bytes) -> None:
    view = memoryview(frame)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # the editor made its end non-blocking, and it is the same description as ours
            time.sleep(0.001)
