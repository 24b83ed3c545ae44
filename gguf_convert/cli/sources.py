"""SRC on the command line: a folder, or a repository on a hub; and the options of hubs.

Only a SRC that begins with `hub:` makes anything go out of the machine.
"""

import argparse
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from gguf_convert.cli.arguments import Misuse
from gguf_convert.errors import SourceError
from gguf_convert.source.checkpoint import Checkpoint, open_checkpoint
from gguf_convert.source.connection import HUGGING_FACE, Hub
from gguf_convert.source.hub import Snapshot, is_repository, parse_source, snapshot
from gguf_convert.source.remote import open_remote
from gguf_convert.source.supply import Supply

SOURCE_HELP: Final = (
    "a folder with config.json and safetensors files, or hub:OWNER/NAME[@REVISION] (a folder of such a name: ./hub:...)"
)
_ATTEMPTS: Final = 20  # a conversion takes hours: a hub that is away for five minutes does not end it
_TOKEN: Final = re.compile(r"[!-~]{1,4096}")


def add_hub_options(parser: argparse.ArgumentParser) -> None:
    """How a hub is reached."""
    parser.add_argument("--hub", metavar="URL", help=f"another hub than {HUGGING_FACE} (or $HF_ENDPOINT)")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a file that holds your token (or $HF_TOKEN)")
    parser.add_argument("--proxy", metavar="URL", help="the proxy to go through (or $HTTPS_PROXY)")


def add_download_options(parser: argparse.ArgumentParser) -> None:
    """Where the files of a hub go."""
    parser.add_argument(
        "--stream",
        action="store_true",
        help="delete each file of a hub when it is converted: two or three are on the disk at a time",
    )
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="files of a hub go here, not beside DST")


def name_of(source: str) -> str:
    """What a checkpoint is called: its folder's or its repository's name."""
    named = parse_source(source)
    return named[0].rpartition("/")[2] if named else Path(source).resolve().name


@contextmanager
def looked_at(options: argparse.Namespace) -> Iterator[tuple[Checkpoint, Snapshot | None]]:
    """The checkpoint, for as long as the block lasts; of a hub's, only headers and small files are fetched.

    Raises SourceError.
    """
    named = parse_source(options.source)
    if named is None:
        yield _here(options.source), None
        return
    source = snapshot(_hub(options), *named)
    with tempfile.TemporaryDirectory(prefix="r1-gguf-") as folder:
        yield open_remote(source, Path(folder) / name_of(options.source)), source


def to_be_converted(options: argparse.Namespace, target: Path) -> tuple[Checkpoint, Supply | None]:
    """The checkpoint, and how its files come here when it is on a hub. Raises SourceError, TargetError."""
    named = parse_source(options.source)
    if named is None:
        if options.stream or options.cache:
            raise Misuse("--stream and --cache are for a checkpoint on a hub (hub:OWNER/NAME)")
        return _here(options.source), None
    source = snapshot(_hub(options), *named)
    folder = _folder(options, source.repository, target)
    patient = replace(source, hub=replace(source.hub, attempts=_ATTEMPTS))
    return open_remote(source, folder), Supply(source=patient, folder=folder, keep=not options.stream)


def _here(source: str) -> Checkpoint:
    """A checkpoint on this machine."""
    if not Path(source).exists() and is_repository(source):
        raise SourceError(f"there is no folder {source}; a repository on a hub is written hub:{source}")
    return open_checkpoint(Path(source))


def _folder(options: argparse.Namespace, repository: str, target: Path) -> Path:
    """Kept files are one repository's, for any number of conversions; the others are one conversion's own."""
    if options.stream:
        return (options.cache or target.parent) / f"{target.name}.source" / repository.rpartition("/")[2]
    return (options.cache or target.parent / "checkpoints") / repository


def _hub(options: argparse.Namespace) -> Hub:
    return Hub(
        url=options.hub or os.environ.get("HF_ENDPOINT") or HUGGING_FACE,
        token=_token(options.token_file),
        proxy=options.proxy or os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or None,
    )


def _token(file: Path | None) -> str | None:
    """Raises SourceError, which never shows what was found."""
    try:
        said = file.read_text("utf-8", "replace") if file else os.environ.get("HF_TOKEN", "")
    except OSError as exc:
        raise SourceError(f"{file} cannot be read: {exc.strerror or exc}") from exc
    token = said.strip()
    if not token and not file:
        return None
    if not _TOKEN.fullmatch(token):
        raise SourceError(f"{file or 'HF_TOKEN'} holds no token: one word of visible characters is wanted")
    return token
