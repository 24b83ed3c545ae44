"""Two threads may ask at once: completion on the event loop, repairs beside it."""

import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ast_tools.languages.python import accepts

TEXT = b"def f(a, b):\n    return [a + b * (c - 1) for c in range(10) if c]\n" * 60


@pytest.fixture
def garbage_collection_lets_others_run() -> Iterator[None]:
    """In CPython a parse is only left for another thread where the garbage collector runs Python code."""

    def yields(_phase: str, _info: dict[str, int]) -> None:
        time.sleep(0)

    threshold = gc.get_threshold()
    gc.callbacks.append(yields)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*threshold)
    gc.callbacks.remove(yields)


@pytest.mark.usefixtures("garbage_collection_lets_others_run")
def test_python_s_parser_is_asked_by_one_thread_at_a_time() -> None:
    """CPython 3.11 counts the depth of trees per interpreter: two parses at once end in a SystemError."""
    start = threading.Barrier(3)

    def ask() -> list[bool]:
        start.wait()
        return [accepts(TEXT) for _ in range(5)]

    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask) for _ in range(3)]
        assert [answer.result() for answer in answers] == [[True] * 5] * 3
