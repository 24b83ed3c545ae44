"""What a line of the HANDLERS table says."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

Handler = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method of the protocol and who handles it.

    `handler` is "file" or "file.function" under r1_lsp.handlers, imported on first use; without a function it has the
    file's name. `empty` answers a request that was superseded. `raw`: params are the bare JSON, for methods where an
    editor's slip must not cost the session.
    """

    method: str
    handler: str
    empty: Any = None
    raw: bool = False

    def load(self) -> Handler:
        """The handler itself; a plain function is run at once, a coroutine function as a task."""
        module, _, function = self.handler.partition(".")
        return cast("Handler", getattr(importlib.import_module(f"r1_lsp.handlers.{module}"), function or module))
