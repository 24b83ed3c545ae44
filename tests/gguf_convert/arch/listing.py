"""A checkpoint that is only names and shapes, and the layout of one as text."""

import itertools
import re
from collections.abc import Mapping

import numpy as np

from gguf_convert.arch.architecture import Choices, Config, Layout
from gguf_convert.arch.table import architecture_of
from gguf_convert.errors import ConversionError, SourceError
from gguf_convert.rows import Rows32

_RANGE = re.compile(r"\{(\d+)-(\d+)\}")


class Shapes:
    """A reader of weights that are numbered through: element i of a weight is i."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._shapes = shapes

    def shape(self, weight: str) -> tuple[int, ...]:
        if weight not in self._shapes:
            raise SourceError(f"no weight {weight}")
        return self._shapes[weight]

    def rows(self, weight: str, start: int, stop: int) -> Rows32:
        shape = self.shape(weight)
        numbers = np.arange(int(np.prod(shape)), dtype=np.float32)
        return numbers.reshape(-1, shape[-1])[start:stop].copy()


def weights_of(text: str) -> dict[str, tuple[int, ...]]:
    """`name 4x8` lines; `{0-3}` in a name stands for each number of the range."""
    found = {}
    for line in text.splitlines():
        pattern, shape = line.split()
        for name in _expanded(pattern):
            found[name] = tuple(map(int, shape.split("x")))
    return found


def layout_of(config: Config, weights: Mapping[str, tuple[int, ...]], choices: Choices | None = None) -> Layout:
    """What the converter makes of a checkpoint with this config.json and these weights."""
    return architecture_of(config).layout(config, tuple(weights), Shapes(weights), choices or Choices())


def listing(config: Config, weights: Mapping[str, tuple[int, ...]], choices: Choices) -> str:
    """The layout as text: tensors, metadata, what is left out; or the sentence of the refusal."""
    try:
        layout = layout_of(config, weights, choices)
    except ConversionError as exc:
        return f"{type(exc).__name__}: {exc}"
    return "\n".join(_lines(layout))


def _lines(layout: Layout) -> list[str]:
    tensors = [
        f"{t.name} {' x '.join(map(str, t.shape))}{f' {t.pinned}' if t.pinned else ''} <- {_made(t.source)}"
        for t in layout.tensors
    ]
    fields = [f"{field.key} {field.type} {_shown(field.value)}" for field in layout.fields]
    unused = [f"left out: {name}: {reason}" for name, reason in layout.unused.items()]
    return [*tensors, *fields, *unused, *(f"warning: {sentence}" for sentence in layout.warnings)]


def _made(source: object) -> str:
    """The kind of source with its weights, a stack of many by its first and last."""
    weights = [name.removeprefix("model.") for name in source.weights]  # type: ignore[attr-defined]
    named = weights if len(weights) < 3 else [weights[0], "...", weights[-1]]
    return f"{type(source).__name__}({', '.join(named)})"


def _shown(value: object) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _expanded(pattern: str) -> list[str]:
    parts = _RANGE.split(pattern)
    texts, ranges = parts[::3], zip(parts[1::3], parts[2::3], strict=True)
    numbers = [range(int(first), int(last) + 1) for first, last in ranges]
    return [
        "".join(itertools.chain(*itertools.zip_longest(texts, map(str, chosen), fillvalue="")))
        for chosen in itertools.product(*numbers)
    ]
