"""Runs our converter as a user does."""

from pathlib import Path

from gguf_convert.cli import main


def our_file(folder: Path, target: Path, kind: str, *options: str) -> Path:
    """What `r1-gguf convert` makes of the checkpoint."""
    assert main(["convert", str(folder), str(target), "--type", kind, *options]) == 0
    return target
