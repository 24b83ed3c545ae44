"""LoRA adapters: as a GGUF file of their own for llama.cpp to add while it runs, or merged into the weights.

llama.cpp adds an adapter only where its graph asks for one. For multi-head latent attention it does not: an adapter on
such a matrix loads and changes nothing. What it would ignore so is refused here, and can be merged instead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gguf_convert.adapted import Merged, Scaled, Turned
from gguf_convert.arch.architecture import Layout
from gguf_convert.errors import SourceError, Unsupported
from gguf_convert.fields import Field
from gguf_convert.peft import Adapter, Module
from gguf_convert.rows import HalvesInterleaved, LatentKeys, LatentValues, RowSource, Stacked, Weight
from gguf_convert.tensors import TargetTensor

IGNORED: Mapping[str, frozenset[str]] = {
    "deepseek2": frozenset({"attn_q", "attn_q_a", "attn_q_b", "attn_kv_a_mqa", "attn_k_b", "attn_v_b", "output"}),
}
"""Tensors by architecture to which llama.cpp never adds an adapter, though it loads one (src/models/deepseek2.cpp uses
ggml_mul_mat for them, and build_lora_mm for the others).
"""
_EMBEDDINGS = "token_embd.weight"
_MERGE = "`r1-gguf convert --adapter` merges it into the weights"


def merged(layout: Layout, adapter: Adapter) -> Layout:
    """The layout with the adapter added to the weights it was trained for.

    Raises Unsupported for modules that the model does not have, SourceError for matrices of another shape.
    """
    _check(layout, adapter)
    add = partial(_add, adapter)
    tensors = [replace(tensor, source=_mapped(tensor.source, add)) for tensor in layout.tensors]
    return replace(layout, tensors=tensors)


def as_tensors(layout: Layout, adapter: Adapter) -> Layout:
    """The adapter as llama.cpp reads it, for the model of this layout: pairs of tensors, and the adapter's metadata.

    Raises what `merged` does, and Unsupported for modules that llama.cpp would ignore.
    """
    _check(layout, adapter)
    architecture = next(str(field.value) for field in layout.fields if field.key == "general.architecture")
    alpha = _alpha(adapter)
    pairs = [_Pair(tensor=tensor, adapter=adapter, alpha=alpha) for tensor in _adapted(layout, adapter)]
    ignored = IGNORED.get(architecture, frozenset())
    for pair in pairs:
        if pair.tensor.name.rpartition(".")[0].rpartition(".")[2] in ignored:
            raise Unsupported(
                f"llama.cpp would load the adapter and ignore {_module_of(pair.tensor)}, which {architecture} "
                f"computes without adapters; {_MERGE}"
            )
    return Layout(
        tensors=[made for pair in pairs for made in pair.tensors()],
        fields=[
            Field("general.architecture", "string", architecture),
            Field("general.type", "string", "adapter"),
            Field("adapter.type", "string", "lora"),
            Field("adapter.lora.alpha", "f32", alpha),
        ],
        unused={},
    )


def _adapted(layout: Layout, adapter: Adapter) -> Sequence[TargetTensor]:
    return [tensor for tensor in layout.tensors if any(name in adapter.modules for name in tensor.source.weights)]


def _module_of(tensor: TargetTensor) -> str:
    return tensor.source.weights[0].removesuffix(".weight")


# What an adapter must be, to be of use to this model.


def _check(layout: Layout, adapter: Adapter) -> None:
    weights = {name for tensor in layout.tensors for name in tensor.source.weights}
    for name, module in adapter.modules.items():
        if name not in weights:
            raise Unsupported(f"the adapter changes {name.removesuffix('.weight')}, {_absent(name, layout)}")
        if module.embedding and not any(tensor.name == "output.weight" for tensor in layout.tensors):
            raise Unsupported(
                "the adapter changes the token embeddings, which are also this model's output (tied): it was not "
                "trained to change both"
            )
        if module.scale == 0:
            raise SourceError(f"the adapter in {adapter.folder} has an alpha of 0: it changes nothing")
    for leaf in _leaves(layout):
        _check_shape(leaf, adapter.modules.get(leaf.name))


def _absent(name: str, layout: Layout) -> str:
    if name in layout.unused:
        return f"which is left out of the output: {layout.unused[name]}"
    return "which this architecture does not have"


def _leaves(layout: Layout) -> Sequence[Weight]:
    found: list[Weight] = []

    def note(weight: Weight) -> Weight:
        found.append(weight)
        return weight

    for tensor in layout.tensors:
        _mapped(tensor.source, note)
    return found


def _check_shape(weight: Weight, module: Module | None) -> None:
    if module is None:
        return
    shape = (module.n_in, module.n_out) if module.embedding else (module.n_out, module.n_in)
    if shape != (weight.n_rows, weight.row_length):
        raise SourceError(
            f"the adapter's {weight.name.removesuffix('.weight')} is made for a weight of {shape[0]} x {shape[1]}, and "
            f"the model's is {weight.n_rows} x {weight.row_length}; it was trained for another model"
        )


# Merging.


def _mapped(source: RowSource, change: Callable[[Weight], RowSource]) -> RowSource:
    """The source with each plain weight in it replaced."""
    match source:
        case Weight():
            return change(source)
        case Stacked(parts):
            return Stacked(tuple(_mapped(part, change) for part in parts))
        case HalvesInterleaved() | LatentKeys() | LatentValues():
            return replace(source, base=_mapped(source.base, change))
    return source


def _add(adapter: Adapter, weight: Weight) -> RowSource:
    module = adapter.modules.get(weight.name)
    if module is None:
        return weight
    down, up = _matrices(module)
    if module.embedding:
        return Merged(weight, down=Turned(up), up=Turned(down), scale=module.scale)
    return Merged(weight, down=down, up=up, scale=module.scale)


def _matrices(module: Module) -> tuple[Weight, Weight]:
    """A of [rank, in] and B of [out, rank]."""
    return (
        Weight(module.down, n_rows=module.rank, row_length=module.n_in),
        Weight(module.up, n_rows=module.n_out, row_length=module.rank),
    )


# A file of its own.


def _alpha(adapter: Adapter) -> float:
    """The one alpha of the file: the usual one, times the square root of the rank where the adapter divides by that."""
    scales = [module.scale * module.rank for module in adapter.modules.values()]
    return max(set(scales), key=lambda alpha: (scales.count(alpha), alpha))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The two tensors that change one. llama.cpp multiplies their product by alpha / rank, so where a module has an
    alpha of its own, B makes up for the difference.
    """

    tensor: TargetTensor
    adapter: Adapter
    alpha: float

    def tensors(self) -> tuple[TargetTensor, TargetTensor]:
        """lora_a of [rank, in] and lora_b of [out, rank], in PyTorch's order; of experts as many as there are."""
        down, up = self._sources(self.tensor.source)
        more = self.tensor.shape[2:]
        return self._tensor("lora_a", down, more), self._tensor("lora_b", up, more)

    def _tensor(self, suffix: str, source: RowSource, more: tuple[int, ...]) -> TargetTensor:
        rows = source.n_rows // (more[0] if more else 1)
        shape = (source.row_length, rows, *more)
        return TargetTensor(name=f"{self.tensor.name}.{suffix}", shape=shape, source=source)

    def _sources(self, source: RowSource) -> tuple[RowSource, RowSource]:
        match source:
            case Weight(name):
                return self._plain(self.adapter.modules[name])
            case HalvesInterleaved(base, n_head):
                down, up = self._sources(base)
                return down, HalvesInterleaved(up, n_head)
            case Stacked(parts):
                return self._experts(parts)
        raise Unsupported(f"an adapter of {_module_of(self.tensor)} cannot be a file of its own; {_MERGE}")

    def _plain(self, module: Module) -> tuple[RowSource, RowSource]:
        down, up = _matrices(module)
        factor = module.scale * module.rank / self.alpha
        scaled = up if factor == 1 else Scaled(up, factor)
        return (Turned(down), scaled) if module.embedding else (down, scaled)

    def _experts(self, parts: Sequence[RowSource]) -> tuple[RowSource, RowSource]:
        modules = [self.adapter.modules.get(name) for part in parts for name in part.weights]
        ranks = {module.rank for module in modules if module}
        if None in modules or len(ranks) != 1:
            raise Unsupported(
                f"the adapter changes some of the experts of {self.tensor.name}, or with different ranks; as a file of "
                f"its own it must change all with the same; {_MERGE}"
            )
        pairs = [self._sources(part) for part in parts]
        return Stacked(tuple(down for down, _ in pairs)), Stacked(tuple(up for _, up in pairs))
