"""`r1-gguf lora ADAPTER DST --base SRC`: a PEFT adapter as a GGUF file of its own."""

import json
from pathlib import Path

from gguf_convert.arch.architecture import Choices, Layout
from gguf_convert.arch.table import architecture_of
from gguf_convert.budget import budget_for
from gguf_convert.cli.arguments import Arguments, Misuse
from gguf_convert.cli.requests import check_parent
from gguf_convert.convert import Order, convert
from gguf_convert.fields import Field
from gguf_convert.general import general_fields
from gguf_convert.lora import as_tensors
from gguf_convert.peft import Adapter, open_adapter
from gguf_convert.plan import Plan, make_plan
from gguf_convert.recipe import load_recipe
from gguf_convert.source.checkpoint import open_checkpoint
from gguf_convert.source.reader import CheckpointReader, logical_weights
from gguf_convert.units import in_units

_TYPES = ("F32", "F16", "BF16")
"""Rows of B are as long as the rank, mostly too short for blocks of quantised weights."""


def run(words: list[str]) -> int:
    """Converts the adapter; a refusal names the module."""
    options = _arguments().parse_args(words)
    if options.target.suffix != ".gguf":
        raise Misuse(f"{options.target} is no name that ends in .gguf")
    check_parent(options.target)
    adapter = open_adapter(options.adapter)
    plan = _plan(adapter, options.base, options.type, options.target.name)
    order = Order(
        checkpoint=adapter.alone(),
        plan=plan,
        target=options.target,
        recipe=options.type,
        budget=budget_for(plan, len(adapter.tensors), workers=1),
        restart=options.restart,
    )
    convert(order)
    if options.json:
        print(json.dumps({"event": "done", "files": [str(options.target)], "size": plan.size}))
    else:
        print(f"{options.target}: {in_units(plan.size)}, {len(plan.tensors) // 2} weights changed")
    return 0


def _arguments() -> Arguments:
    parser = Arguments(
        prog="r1-gguf lora",
        description="A LoRA adapter as a GGUF file for llama.cpp to add while it runs. To add it to the weights "
        "themselves, which multi-head latent attention needs, use `r1-gguf convert --adapter`.",
    )
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="a folder with adapter_config.json")
    parser.add_argument("target", type=Path, metavar="DST", help="a name that ends in .gguf")
    parser.add_argument(
        "--base", type=Path, metavar="SRC", required=True, help="the checkpoint that the adapter was trained on"
    )
    parser.add_argument("--type", choices=_TYPES, default="F32", help="how its matrices are stored")
    parser.add_argument("--restart", action="store_true", help="replace a file that is there")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def _plan(adapter: Adapter, base: Path, type_name: str, file_name: str) -> Plan:
    layout = as_tensors(_base(base), adapter)
    return make_plan(
        layout,
        types={tensor.name: type_name for tensor in layout.tensors},
        fields=[
            *(field for field in general_fields(adapter.folder, {}, layout.tensors) if field.key != "general.type"),
            Field("general.file_type", "u32", load_recipe(type_name).file_type),
        ],
        file_name=file_name,
    )


def _base(folder: Path) -> Layout:
    """How the model that the adapter belongs to is laid out; only headers are read."""
    checkpoint = open_checkpoint(folder)
    with CheckpointReader(checkpoint) as reader:
        weights = logical_weights(checkpoint)
        return architecture_of(checkpoint.config).layout(checkpoint.config, weights, reader, Choices())
