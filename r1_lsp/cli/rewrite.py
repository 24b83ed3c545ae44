"""A file as it would be with its repairs made: as a diff, and written."""

from collections.abc import Sequence
from dataclasses import dataclass

from ast_tools import Edit, apply
from r1_lsp.cli.console import Failure
from r1_lsp.cli.diff import unified
from r1_lsp.cli.examine import Examined, digest_of
from r1_lsp.cli.source import Source, decoded, read, replace_file
from r1_lsp.cli.walk import STDIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A file and the edits (of its UTF-8 text) to make in it."""

    path: str
    source: Source
    edits: tuple[Edit, ...]

    @property
    def text(self) -> bytes:
        """The text afterwards, UTF-8 without a byte order mark."""
        return apply(self.source.text, self.edits)

    @property
    def data(self) -> bytes:
        """The bytes of the file afterwards. Raises Failure where its coding lacks a character."""
        return self.source.encoded(self.text)

    def diff(self) -> str:
        """What changes; empty when nothing does."""
        return unified(self.path, self.source.text, self.edits)

    def write(self) -> None:
        """Raises Failure when the file has changed since it was read, or cannot be written."""
        replace_file(self.path, self.source.data, self.data)


def rewrite_of(answer: Examined, edits: Sequence[Edit], standard_input: bytes | None) -> Rewrite:
    """Reads the file again. Raises Failure when it is not the one that was looked at any more."""
    is_stdin = answer.path == STDIN and standard_input is not None
    source = decoded(standard_input or b"", STDIN) if is_stdin else read(answer.path)
    if digest_of(source.data) != answer.digest:
        raise Failure(f"{answer.path} has changed meanwhile and was left alone")
    return Rewrite(path=answer.path, source=source, edits=tuple(edits))
