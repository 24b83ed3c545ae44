"""What the hub says about the files of a checkpoint, where its own client left it.

`hf download --local-dir` writes `.cache/huggingface/download/NAME.metadata`: the commit, the etag and a time, a line
each. In the client's cache, files are links to `blobs/ETAG`. The etag of a file kept in LFS, as weights are, is its
sha256.
"""

import re
from pathlib import Path
from typing import Final

from gguf_convert.source.checkpoint import Checkpoint

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_METADATA: Final = 4096


def known_hashes(checkpoint: Checkpoint) -> dict[str, str]:
    """The sha256 that each file of the checkpoint ought to have, by name, as far as that is known."""
    etags = {
        name: _etag_beside(checkpoint.folder, name) or _etag_of_link(checkpoint.folder / name)
        for name in checkpoint.shards
    }
    return {name: etag for name, etag in etags.items() if _SHA256.fullmatch(etag)}


def _etag_beside(folder: Path, name: str) -> str:
    try:
        path = folder / ".cache" / "huggingface" / "download" / f"{name}.metadata"
        with path.open(encoding="ascii", errors="replace") as file:
            lines = file.read(_MAX_METADATA).splitlines()
    except OSError:
        return ""
    return lines[1].strip() if len(lines) > 1 else ""


def _etag_of_link(path: Path) -> str:
    target = path.resolve()
    return target.name if path.is_symlink() and target.parent.name == "blobs" else ""
