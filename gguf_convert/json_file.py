"""JSON files of a checkpoint: objects, or one sentence on why not."""

import json
from pathlib import Path
from typing import Any

from gguf_convert.errors import SourceError

_LARGEST = 256 << 20  # bytes; the largest tokenizer.json in use is about 35 MB


def read_json(path: Path) -> dict[str, Any]:
    """The object in this file. Raises SourceError when it cannot be read, is not JSON, or not an object."""
    try:
        if path.stat().st_size > _LARGEST:
            raise SourceError(f"{path} is larger than any such file should be")
        found = json.loads(path.read_bytes())
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise SourceError(f"{path} is not JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise SourceError(f"{path} is not a JSON object")
    return found


def read_json_if_there(path: Path) -> dict[str, Any]:
    """The same, or an empty object when there is no such file."""
    return read_json(path) if path.is_file() else {}
