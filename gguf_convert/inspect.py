"""`r1-gguf inspect`: what a GGUF file says about itself, read by the hardened header reader and printed safely."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.models.gguf_header import GgufHeader, LongArray, Tensor, Value

_LONGEST = 160


def report(header: GgufHeader, *, all_tensors: bool = False) -> RenderableType:
    """The file as tables: summary, metadata, tensors (grouped by type, or all of them)."""
    tensors = _all_tensors(header.tensors) if all_tensors else _by_type(header.tensors)
    return Group(_summary(header), Text(), _metadata(header), Text(), tensors)


def as_json(header: GgufHeader) -> dict[str, Any]:
    """The file as plain values; long arrays with their length and first elements."""
    return {
        "version": header.version,
        "byte_order": header.byte_order,
        "file_size": header.file_size,
        "alignment": header.alignment,
        "data_start": header.data_start,
        "parameters": header.n_params,
        "metadata": {key: _plain(value) for key, value in header.metadata.items()},
        "tensors": [
            {"name": t.name, "shape": list(t.shape), "type": t.type.name, "offset": t.offset, "size": t.size}
            for t in header.tensors
        ],
    }


def printable(text: str, longest: int = _LONGEST) -> str:
    """Text from a file made safe for a terminal: one line, no control or direction characters, not too long."""
    shown = "".join(_visible(char) for char in text[: longest + 1])
    return shown if len(text) <= longest else f"{shown[:longest]}... ({len(text)} characters)"


def _visible(char: str) -> str:
    if char == "\n":
        return "\\n"
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return f"\\u{ord(char):04x}"
    return char


def _summary(header: GgufHeader) -> Table:
    table = Table.grid(padding=(0, 2))
    bits = header.tensor_bytes * 8 / header.n_params if header.n_params else 0.0
    context = header.number("{arch}.context_length")
    for name, value in (
        ("architecture", printable(header.architecture) or "not said"),
        ("parameters", f"{header.n_params:,} in {len(header.tensors)} tensors, {bits:.2f} bits each"),
        ("trained context", f"{context:,} tokens" if context else "not said"),
        ("file", f"{header.file_size:,} bytes, GGUF version {header.version}, {header.byte_order} endian"),
    ):
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _metadata(header: GgufHeader) -> Table:
    table = Table("key", "value", box=None, header_style="dim")
    for key, value in header.metadata.items():
        table.add_row(Text(printable(key)), Text(_shown(value)))
    return table


def _shown(value: Value) -> str:
    if isinstance(value, LongArray):
        head = ", ".join(_shown(item) for item in value.head)
        return f"{value.count:,} of {value.type}: {printable(head)}, ..."
    if isinstance(value, tuple):
        return printable(f"[{', '.join(_shown(item) for item in value)}]")
    return printable(value) if isinstance(value, str) else str(value)


def _by_type(tensors: tuple[Tensor, ...]) -> Table:
    count: Counter[str] = Counter()
    elements: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for tensor in tensors:
        name = tensor.type.name
        count[name] += 1
        elements[name] += tensor.elements
        size[name] += tensor.size
    table = Table("type", "tensors", "parameters", "bytes", box=None, header_style="dim")
    for name, total in size.most_common():
        table.add_row(name, f"{count[name]:,}", f"{elements[name]:,}", f"{total:,}")
    return table


def _all_tensors(tensors: tuple[Tensor, ...]) -> Table:
    table = Table("tensor", "shape", "type", "bytes", "offset", box=None, header_style="dim")
    for row in _rows(tensors):
        table.add_row(*row)
    return table


def _rows(tensors: tuple[Tensor, ...]) -> Iterator[tuple[Text, str, str, str, str]]:
    for tensor in tensors:
        shape = " x ".join(map(str, tensor.shape))
        yield Text(printable(tensor.name)), shape, tensor.type.name, f"{tensor.size:,}", f"{tensor.offset:,}"


def _plain(value: Value) -> Any:
    if isinstance(value, LongArray):
        return {"type": value.type, "count": value.count, "head": list(value.head)}
    return list(value) if isinstance(value, tuple) else value
