"""Small checkpoints, written without any library, and a layout for them that needs no architecture."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gguf_convert.arch.architecture import Layout
from gguf_convert.budget import Budget
from gguf_convert.convert import Order, convert
from gguf_convert.fields import Field
from gguf_convert.plan import Plan, Split, make_plan
from gguf_convert.rows import Stacked, Weight
from gguf_convert.source.checkpoint import Checkpoint, open_checkpoint
from gguf_convert.tensors import TargetTensor

_DTYPES = {"float32": "F32", "float16": "F16", "uint16": "BF16", "uint8": "F8_E4M3"}
EXPERTS, HIDDEN, INNER = 3, 256, 96


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """Arrays as a safetensors file; uint16 stands for BF16 and uint8 for FP8."""
    header, offset = {}, 0
    for name, array in tensors.items():
        span = [offset, offset + array.nbytes]
        header[name] = {"dtype": _DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": span}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in tensors.values()))
    return path


def write_checkpoint(folder: Path, *, rows: int = 512, seed: int = 1) -> Checkpoint:
    """A norm, a matrix of `rows` rows, and the experts of one layer, in two files."""
    random = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text('{"architectures": ["ToyForCausalLM"]}')
    experts = {
        f"experts.{number}.weight": random.standard_normal((INNER, HIDDEN), dtype=np.float32)
        for number in range(EXPERTS)
    }
    first = {
        "norm.weight": random.standard_normal(HIDDEN, dtype=np.float32),
        "matrix.weight": random.standard_normal((rows, HIDDEN), dtype=np.float32),
        "experts.0.weight": experts.pop("experts.0.weight"),
    }
    write_safetensors(folder / "model-00001-of-00002.safetensors", first)
    write_safetensors(folder / "model-00002-of-00002.safetensors", experts)
    return open_checkpoint(folder)


def toy_layout(checkpoint: Checkpoint) -> Layout:
    """What `write_checkpoint` made, as three tensors."""
    rows = checkpoint.tensors["matrix.weight"].shape[0]
    parts = tuple(Weight(f"experts.{number}.weight", INNER, HIDDEN) for number in range(EXPERTS))
    return Layout(
        tensors=(
            TargetTensor(name="norm.weight", shape=(HIDDEN,), source=Weight("norm.weight", 1, HIDDEN), pinned="F32"),
            TargetTensor(name="matrix.weight", shape=(HIDDEN, rows), source=Weight("matrix.weight", rows, HIDDEN)),
            TargetTensor(name="experts.weight", shape=(HIDDEN, INNER, EXPERTS), source=Stacked(parts)),
        ),
        fields=(Field("general.architecture", "string", "toy"),),
        unused={},
    )


def toy_plan(checkpoint: Checkpoint, type_name: str = "Q4_K", split: Split | None = None) -> Plan:
    """A plan with one type for all that is not pinned."""
    layout = toy_layout(checkpoint)
    types = {tensor.name: type_name for tensor in layout.tensors}
    return make_plan(layout, types=types, fields=(), file_name="m.gguf", split=split)


def toy_order(
    checkpoint: Checkpoint,
    folder: Path,
    *,
    type_name: str = "Q4_K",
    workers: int = 1,
    slot_rows: int = 64,
    split: Split | None = None,
    **more: bool | dict[str, str],
) -> Order:
    """The order to write `m.gguf` into a folder."""
    folder.mkdir(exist_ok=True)
    return Order(
        checkpoint=checkpoint,
        plan=toy_plan(checkpoint, type_name, split),
        target=folder / "m.gguf",
        recipe=type_name,
        budget=Budget(workers, slot_rows * HIDDEN, 0),
        **more,  # type: ignore[arg-type]
    )


def convert_here(source: str, target: str, workers: str) -> None:
    """What `kill -9` tests run in a process of its own."""
    convert(toy_order(open_checkpoint(Path(source)), Path(target), type_name="IQ4_XS", workers=int(workers)))
