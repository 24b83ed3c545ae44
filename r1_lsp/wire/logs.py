"""Where the log goes. Source text is logged only at DEBUG."""

import logging
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up(level: str, file: str | None) -> None:
    """Logs to stderr, or to a file instead. Raises OSError when the file cannot be written."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler()
    else:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("pygls", "asyncio", "aiohttp"):  # pygls logs whole messages at INFO
        logging.getLogger(chatty).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
