"""What the hub says about the files of a checkpoint, where its own client left it beside them.

`hf download --local-dir` writes `.cache/huggingface/download/NAME.metadata`: the commit, the etag and a time, a line
each. The etag of a file kept in LFS, as weights are, is its sha256.
"""

import re
from typing import Final

from gguf_convert.source.checkpoint import Checkpoint

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAX_METADATA: Final = 4096


def known_hashes(checkpoint: Checkpoint) -> dict[str, str]:
    """The sha256 that each file of the checkpoint ought to have, by name, as far as that is known."""
    found = {}
    folder = checkpoint.folder / ".cache" / "huggingface" / "download"
    for name in checkpoint.shards:
        try:
            with (folder / f"{name}.metadata").open(encoding="ascii", errors="replace") as file:
                lines = file.read(_MAX_METADATA).splitlines()
        except OSError:
            continue
        if len(lines) > 1 and _SHA256.fullmatch(lines[1].strip()):
            found[name] = lines[1].strip()
    return found
