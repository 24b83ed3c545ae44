"""The weights of a checkpoint, and which of them an architecture has used so far."""

from collections.abc import Mapping, Sequence
from math import prod

from gguf_convert.errors import SourceError
from gguf_convert.rows import Weight, WeightReader

_NAMED = 4  # so many names are told before "and N more"


class Inventory:
    """Hands out weights, checks their shapes, and in the end finds every one accounted for.

    Weights that are missing are gathered rather than raised at once: `finish` names them all in one sentence.
    """

    def __init__(self, weights: Sequence[str], reader: WeightReader) -> None:
        self._names = frozenset(weights)
        self._order = tuple(weights)
        self._reader = reader
        self._used: set[str] = set()
        self._missing: list[str] = []
        self._left: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def take(self, name: str, *shape: int) -> Weight:
        """The weight, of this shape in PyTorch's order ([out, in]). Raises SourceError when it has another."""
        self._used.add(name)
        if name not in self._names:
            self._missing.append(name)
        elif (found := self._reader.shape(name)) != shape:
            raise SourceError(
                f"{name} has the shape {_shown(found)}, where config.json makes it {_shown(shape)}; "
                "the weights and the configuration are not of the same model"
            )
        return Weight(name, n_rows=prod(shape[:-1]), row_length=shape[-1])

    def leave(self, *, reason: str, prefix: str = "", suffix: str = "") -> None:
        """Leaves out, for this reason, all weights that are still unused and begin and end so."""
        for name in self._order:
            if name not in self._used and name.startswith(prefix) and name.endswith(suffix):
                self._left.setdefault(name, reason)

    def leave_zero_biases(self) -> None:
        """Leaves out biases of the weights that were used, where they are all zeros: GPTQ's writers add such ones."""
        for name in self._order:
            stem, dot, kind = name.rpartition(".")
            unused = name not in self._used and name not in self._left
            if kind == "bias" and unused and f"{stem}{dot}weight" in self._used and self._is_zero(name):
                self._left[name] = "a bias of zeros"

    def _is_zero(self, name: str) -> bool:
        rows = prod(self._reader.shape(name)[:-1])
        return not self._reader.rows(name, 0, rows).any()

    def finish(self) -> Mapping[str, str]:
        """The weights left out, each with its reason. Raises SourceError for weights missing or unaccounted for."""
        if self._missing:
            count = len(self._missing)
            what = "a weight that its" if count == 1 else f"{count} weights that its"
            raise SourceError(f"the checkpoint lacks {what} config.json calls for: {_listed(self._missing)}")
        rest = [name for name in self._order if name not in self._used and name not in self._left]
        if rest:
            raise SourceError(f"the checkpoint holds weights that this architecture has no use for: {_listed(rest)}")
        return self._left


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "of a single number"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
