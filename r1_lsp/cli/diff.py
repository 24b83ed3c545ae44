"""Unified diffs of files, made from the edits themselves: exact to the byte, and in linear time."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ast_tools import Edit, apply
from r1_lsp.cli.console import visible

CONTEXT = 3
"""Unchanged lines around a change, as everywhere."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines [first, last) of the old text, from 0, that become `new`."""

    first: int
    last: int
    new: tuple[bytes, ...]


def diff_of(path: Path | str, before: bytes, after: bytes, context: int = CONTEXT) -> str:
    """A unified diff of two versions of a file, as one change; empty when they are equal."""
    return unified(path, before, (difference(before, after),), context) if before != after else ""


def unified(path: Path | str, before: bytes, edits: Sequence[Edit], context: int = CONTEXT) -> str:
    """A unified diff of what edits of a text do, without a final line end; empty when they do nothing."""
    old = _split(before)
    blocks = list(_blocks(before, old, edits))
    hunks: list[str] = []
    shift = 0
    for group in _near(blocks, context):
        hunks += _hunk(old, group, shift, context)
        shift += sum(len(block.new) - (block.last - block.first) for block in group)
    shown = [f"--- {_named('a', path)}", f"+++ {_named('b', path)}", *hunks]
    return "\n".join(shown) if hunks else ""


def difference(before: bytes, after: bytes) -> Edit:
    """The one edit that leads from a text to another, as small as it can be."""
    most = min(len(before), len(after))
    start = next((at for at in range(most) if before[at] != after[at]), most)
    end = next((at for at in range(most - start) if before[-1 - at] != after[-1 - at]), most - start)
    return Edit(start, len(before) - end, after[start : len(after) - end])


def print_diff(console: Console, diff: str) -> None:
    """A unified diff in the usual colours; in a pipe to the letter, so that `patch` can use it (rich changes tabs)."""
    if not console.is_terminal:
        if diff:
            print(diff, file=console.file)
        return
    for line in diff.split("\n") if diff else ():
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(visible(line), style="bold" if line.startswith(("+++", "---")) else style))


def _named(side: str, path: Path | str) -> str:
    """A path as git writes it: quoted where it would not survive, with a tab where it would end too early."""
    name = os.fsencode(f"{side}/{str(path).lstrip('/')}")
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or re.search(r'[\x00-\x1f\x7f"\\]', text):
        return '"' + "".join(_octal(byte) for byte in name) + '"'
    return text + "\t" * (" " in text)


def _octal(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}"


def _split(text: bytes) -> list[bytes]:
    """Lines as `patch` knows them: they end with a line feed and nothing else."""
    lines = [line + b"\n" for line in text.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _blocks(before: bytes, old: list[bytes], edits: Sequence[Edit]) -> Iterator[_Block]:
    """What each run of changed lines becomes, without the lines that stay."""
    starts, at = [], 0
    for line in old:
        starts.append(at)
        at += len(line)
    placed = sorted(edits, key=lambda edit: (edit.start, edit.end))
    spans = [(before.count(b"\n", 0, edit.start), before.count(b"\n", 0, edit.end)) for edit in placed]
    runs: list[tuple[int, int, list[Edit]]] = []
    for edit, (first, last) in zip(placed, spans, strict=True):
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]), [*runs[-1][2], edit])
        else:
            runs.append((first, last, [edit]))
    for first, last, inside in runs:
        until = min(last + 1, len(old))
        start = starts[first] if first < len(old) else len(before)
        lines = b"".join(old[first:until])
        new = apply(lines, [Edit(edit.start - start, edit.end - start, edit.new) for edit in inside])
        block = _trimmed(old, first, until, _split(new))
        if block.first < block.last or block.new:
            yield block


def _trimmed(old: list[bytes], first: int, last: int, new: list[bytes]) -> _Block:
    begin, end = 0, len(new)
    while first < last and begin < end and old[first] == new[begin]:
        first, begin = first + 1, begin + 1
    while first < last and begin < end and old[last - 1] == new[end - 1]:
        last, end = last - 1, end - 1
    return _Block(first, last, tuple(new[begin:end]))


def _near(blocks: list[_Block], context: int) -> Iterator[list[_Block]]:
    """Blocks whose surroundings touch share a hunk."""
    number, numbers = 0, []
    for at, block in enumerate(blocks):
        number += at > 0 and block.first - blocks[at - 1].last > 2 * context
        numbers.append(number)
    for _, group in groupby(zip(numbers, blocks, strict=True), key=lambda pair: pair[0]):
        yield [block for _, block in group]


def _hunk(old: list[bytes], group: list[_Block], shift: int, context: int) -> Iterator[str]:
    start, stop = max(group[0].first - context, 0), min(group[-1].last + context, len(old))
    grown = sum(len(block.new) - (block.last - block.first) for block in group)
    yield f"@@ -{_range(start, stop - start)} +{_range(start + shift, stop - start + grown)} @@"
    at = start
    for block in group:
        yield from _marked(" ", old[at : block.first])
        yield from _marked("-", old[block.first : block.last])
        yield from _marked("+", block.new)
        at = block.last
    yield from _marked(" ", old[at:stop])


def _range(start: int, length: int) -> str:
    """As `diff` writes it: an empty range is named by the line before it, a length of one is left out."""
    return f"{start + 1 if length else start}" + ("" if length == 1 else f",{length}")


def _marked(sign: str, lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines:
        yield sign + line.removesuffix(b"\n").decode("utf-8", "replace")
        if not line.endswith(b"\n"):
            yield "\\ No newline at end of file"
