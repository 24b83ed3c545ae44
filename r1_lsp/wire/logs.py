"""Where the log goes. Source text is logged only at DEBUG."""

import logging
import traceback
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up(level: str, file: str | None) -> None:
    """Logs to stderr, or to a file instead. Raises OSError when the file cannot be written."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler()
    else:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch(mode=0o600)  # at DEBUG it holds source text, which is the user's alone
        handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("pygls", "asyncio", "aiohttp"):  # pygls logs whole messages at INFO
        logging.getLogger(chatty).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def log_bug(log: logging.Logger, what: str, error: BaseException) -> None:
    """Where something failed; what it said may quote source text and goes to DEBUG."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("%s failed: %s at %s", what, type(error).__name__, where)
    log.debug("%s failed", what, exc_info=error)
